use std::time::Duration;

use url::Url;

/// Bytes of a robots.txt that are read (RFC 9309, section 2.5).
const MOST_BYTES: usize = 500 << 10;

/// The longest delay that a host is believed.
const LONGEST_DELAY: Duration = Duration::from_secs(300);

/// What a robots.txt (RFC 9309) says to one program.
///
/// The parser is our own: of the crates that there are, one panics on long lines, and the
/// other brings older versions of half a dozen crates.
#[derive(Debug, Default)]
pub(super) struct Robots {
    rules: Vec<Rule>,
    delay: Duration,
}

#[derive(Debug)]
struct Rule {
    allows: bool,
    /// As the path of an address is written.
    pattern: String,
}

impl Robots {
    /// Allows all.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Allows nothing.
    pub fn nothing() -> Self {
        Self { rules: vec![Rule { allows: false, pattern: "/".to_owned() }], ..Self::default() }
    }

    /// Reads what it says to whoever is called `agent`. What is no rule is passed over.
    pub fn parse(bytes: &[u8], agent: &str) -> Self {
        let text = String::from_utf8_lossy(bytes.get(..MOST_BYTES).unwrap_or(bytes));
        let (mut own, mut others) = (None, None);
        // The groups that the lines which follow belong to.
        let (mut is_own, mut is_others, mut names_agents) = (false, false, false);
        for line in text.trim_start_matches('\u{FEFF}').lines() {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            if key == "user-agent" {
                if !names_agents {
                    (is_own, is_others) = (false, false);
                }
                names_agents = true;
                is_own |= product(value).eq_ignore_ascii_case(agent);
                is_others |= value == "*";
                // A group without rules is one, too.
                if is_own {
                    own.get_or_insert_with(Self::default);
                }
                continue;
            }
            let is_rule = ["allow", "disallow", "crawl-delay"].contains(&key.as_str());
            names_agents &= !is_rule;
            if is_own && is_rule {
                own.get_or_insert_with(Self::default).add(&key, value);
            } else if is_others && is_rule {
                others.get_or_insert_with(Self::default).add(&key, value);
            }
        }
        own.or(others).unwrap_or_default()
    }

    fn add(&mut self, key: &str, value: &str) {
        match key {
            "crawl-delay" => {
                let seconds = value.parse().ok().filter(|seconds: &f64| *seconds >= 0.0);
                let delay = seconds
                    .map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST_DELAY));
                self.delay = self.delay.max(delay.unwrap_or_default().min(LONGEST_DELAY));
            }
            // A rule that names nothing forbids nothing.
            _ if value.is_empty() => {}
            _ => self.rules.push(Rule { allows: key == "allow", pattern: encoded(value) }),
        }
    }

    /// Whether the path of `url` may be fetched: the longest rule that matches says so, and
    /// of two that are as long the one that allows.
    pub fn allows(&self, url: &Url) -> bool {
        let path = encoded(&url[url::Position::BeforePath..url::Position::AfterQuery]);
        let matching = self.rules.iter().filter(|rule| matches(&rule.pattern, &path));
        let longest = matching.max_by_key(|rule| (rule.pattern.len(), rule.allows));
        path == "/robots.txt" || longest.is_none_or(|rule| rule.allows)
    }

    /// Bytes of memory that it takes, about.
    pub fn bytes(&self) -> usize {
        let rules = self.rules.iter().map(|rule| size_of::<Rule>() + rule.pattern.len());
        size_of::<Self>() + rules.sum::<usize>()
    }

    /// Wanted between two requests.
    pub fn delay(&self) -> Duration {
        self.delay
    }
}

/// The word that names a program, whatever comes after it: of `copydesk/2.0 (...)` the first.
pub(super) fn product(value: &str) -> &str {
    let end = value.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
    value.get(..end.unwrap_or(value.len())).unwrap_or_default()
}

/// A path in one of the ways in which it can be written: percent signs with capital letters,
/// and before each byte that is not ASCII.
fn encoded(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    let mut digits = 0;
    for byte in path.bytes() {
        match byte {
            b'%' => {
                digits = 2;
                encoded.push('%');
            }
            0x80.. => encoded.push_str(&format!("%{byte:02X}")),
            _ if digits > 0 => {
                digits -= 1;
                encoded.push(byte.to_ascii_uppercase().into());
            }
            _ => encoded.push(byte.into()),
        }
    }
    encoded
}

/// Whether a path begins as `pattern` says: `*` stands for anything, `$` at the end for the
/// end. Each part is taken where it comes first, so the time is that of one pass.
fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, is_whole) = match pattern.strip_suffix('$') {
        Some(pattern) => (pattern, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return !is_whole || rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if is_whole && parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use url::Url;

    use super::{Robots, matches};

    fn allows(robots: &str, path: &str) -> bool {
        let url = Url::parse("https://a.example").unwrap().join(path).unwrap();
        Robots::parse(robots.as_bytes(), "copydesk").allows(&url)
    }

    #[test]
    fn the_group_that_names_us_goes_before_the_one_for_all() {
        let robots = "User-agent: *\nDisallow: /\n\nUser-agent: other\nUser-Agent: CopyDesk/1.0\n\
            Disallow: /private # but not the rest\nAllow: /private/open\nCrawl-delay: 2.5\n\
            Sitemap: x\nUser-agent: *\nDisallow: /more";
        assert!(allows(robots, "/news"));
        assert!(!allows(robots, "/private/x"));
        assert!(allows(robots, "/private/open/x"));
        assert!(allows(robots, "/more"));
        assert_eq!(
            Robots::parse(robots.as_bytes(), "copydesk").delay(),
            Duration::from_millis(2_500)
        );
        assert!(allows("User-agent: *\nDisallow: /\nUser-agent: copydesk\n", "/x"));
        assert!(!allows("User-agent: copydesk-other\nAllow: /\nUser-agent: *\nDisallow: /", "/x"));
    }

    #[test]
    fn groups_for_all_add_up_and_stray_rules_count_for_nothing() {
        let robots = "Disallow: /stray\nUser-agent: *\nDisallow: /a\n\nUser-agent: x\nDisallow: /b\n\
            User-agent: *\nDisallow: /c";
        assert!(allows(robots, "/stray"));
        assert!(!allows(robots, "/a"));
        assert!(allows(robots, "/b"));
        assert!(!allows(robots, "/c"));
        assert!(allows("", "/"));
        assert!(allows("User-agent: *\nDisallow:", "/"));
        assert!(allows("<html>Not Found</html>", "/"));
    }

    #[test]
    fn the_longest_rule_counts_and_of_two_the_kinder_one() {
        // RFC 9309, section 5.2.
        let robots = "User-agent: *\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif";
        assert!(!allows(robots, "/example/page/disallowed.gif"));
        assert!(allows(robots, "/example/page/x"));
        assert!(allows("User-agent: *\nDisallow: /a\nAllow: /a", "/a"));
        assert!(allows("User-agent: *\nDisallow: /", "/robots.txt"));
    }

    #[test]
    fn patterns_match_from_the_beginning() {
        for (pattern, path, expected) in [
            ("/fish", "/fish.html", true),
            ("/fish", "/catfish", false),
            ("/fish*", "/fish", true),
            ("/*.php", "/x/y.php?z", true),
            ("/*.php$", "/y.php?z", false),
            ("/*.php$", "/y.php.php", true),
            ("/fish$", "/fish", true),
            ("/fish$", "/fishes", false),
            ("/a*b*c", "/a/c/b", false),
            ("/a*b*c", "/abxc", true),
            ("*", "/", true),
            ("*$", "/x", true),
            ("/a**b$", "/ab", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
        assert!(!allows("User-agent: *\nDisallow: /caf\u{E9}", "/caf%c3%a9/x"));
        assert!(!allows("User-agent: *\nDisallow: /a%3cd", "/a%3Cd"));
        assert!(!allows("User-agent: *\nDisallow: /*?print=", "/a?print=1"));
    }

    #[test]
    fn a_hostile_file_is_read_in_time() {
        let stars = format!("User-agent: *\nDisallow: /{}x", "*a".repeat(200_000));
        assert!(allows(&stars, &format!("/{}", "a".repeat(100_000))));
        for delay in ["-1", "NaN", "inf", "1e300", "x"] {
            let robots = Robots::parse(
                format!("User-agent: *\nCrawl-delay: {delay}").as_bytes(),
                "copydesk",
            );
            assert!(robots.delay() <= Duration::from_secs(300), "{delay}");
        }
        assert!(!Robots::nothing().allows(&Url::parse("https://a.example/x").unwrap()));
        assert!(Robots::everything().allows(&Url::parse("https://a.example/x").unwrap()));
    }
}
