use std::sync::LazyLock;

use regex::RegexSet;

#[allow(clippy::expect_used, reason = "patterns are constants that the tests compile")]
fn patterns(texts: &[&str]) -> RegexSet {
    RegexSet::new(texts.iter().map(|text| format!("(?i){text}"))).expect("constant patterns")
}

/// A group of patterns that speak for furniture in lines up to some length.
struct Rules {
    longest: usize,
    patterns: LazyLock<RegexSet>,
}

/// Whether the line by itself is something else than reporting. `line` is
/// normalised, so quotes and dashes are ASCII.
pub(super) fn is_furniture(line: &str) -> bool {
    let line = line.trim_start_matches(|c: char| !c.is_alphanumeric() && !"[(@\u{A9}".contains(c));
    let length = line.chars().count();
    [&RIGHTS, &CAPTIONS, &INVITATIONS, &NAVIGATION, &BYLINES]
        .into_iter()
        .any(|rules| length <= rules.longest && rules.patterns.is_match(line))
}

/// Copyright, licence and disclaimer.
static RIGHTS: Rules = Rules {
    longest: 600,
    patterns: LazyLock::new(|| {
        patterns(&[
            r"^\u{C2}?\u{A9}",
            r"^\(c\) (\d{4}|(?-i:\p{Lu}))",
            r"^copyright\s*(\d{4}|by\b|reserved|notice|\u{A9}|\(c\)|$)",
            r"\ball rights reserved\b",
            r"\bmay not be (published|reproduced|redistributed)\b.*\b(permission|rewritten|redistributed|consent)\b",
            r"\b(views|opinions)( and opinions| and views)? expressed\b.*\b(author|own|those of|necessarily)",
            r"^(this|a version of this|the) (article|story|piece|post|report|essay|column)\b.{0,40}\b(first|originally|also|previously) (appeared|published|posted|ran)\b",
            r"^(originally|first) (published|appeared|posted) (on|in|by|at)\b",
            r"\brepublished (here )?(with|by) permission\b",
            r"\bfor (licensing|syndication|reprint) (opportunities|rights|requests|enquiries)\b",
        ])
    }),
};

/// Captions and picture credits.
static CAPTIONS: Rules = Rules {
    longest: 700,
    patterns: LazyLock::new(|| {
        patterns(&[
            r"^(photo|photograph|image|picture|graphic|illustration|caption|photo credit|image credit|credit)s?\s*([:|/]|(by|from|courtesy)\b)",
            r"^(file )?(photo|image|picture)\b[^.]{0,80}$",
            r"^\d{1,3} of \d{1,3}[.:]? ",
            r"\((photo|image|picture|credit|file|pic|ap|afp|reuters|epa|getty)\b[^()]{0,100}\)$",
            r"[^.!?] \(source: [^()]{2,40}\)$",
            r"[-/|,.]\s*(photo|image|picture|photograph)s?( credit)?( by|:)[^.!?]{0,60}(\. \w\.?)?$",
            r"\(?\b(ap|afp|reuters|epa|upi)( file)? photo\b.{0,80}$",
            r"\b(getty images|shutterstock|istockphoto|wikimedia commons)\b.{0,50}$",
            r"[-.,/ (](file|stock|handout|undated) (photo|picture|image)s?[.)]*$",
            r"[-/] ?file( photo)?\.?$",
        ])
    }),
};

/// Asks the reader to do something.
static INVITATIONS: Rules = Rules {
    longest: 320,
    patterns: LazyLock::new(|| {
        patterns(&[
            r"^(un)?subscribe( |!|$)(.{0,80}$|.*\b(newsletter|mailing list|updates|edition|feed)\b)",
            r"^(sign|log) (up|in)\b( |!|$)(here|now|for|to|with|today|.{0,12}$)",
            r"^(please )?register (now|here|today|to (receive|comment|read)|for (free|our|updates))\b",
            r"^(get|receive) (the latest|our|daily|breaking|email)\b.{0,60}\b(newsletter|inbox|alerts|updates|e-?mail|app)\b",
            r"^(our |free |daily |weekly |e-?mail ){1,3}newsletters?\b.{0,40}$",
            r"^(like|follow|join|find|friend|connect with|watch) (us|me|our|@|him|her|[\w.]+ on)\b.{0,120}\b(facebook|twitter|instagram|youtube|google|linkedin|telegram|tiktok|@\w+|\w+\.com)",
            r"^follow @?[\w ]{2,40}( on\b|:|$)",
            r"^like us\b",
            r"\bfollow [\w ]{2,40} on (twitter|facebook|instagram)\b.{0,40}$",
            r"^(click|tap|press) (here|on|to|for)\b",
            r"^stay (informed|connected|tuned|up to date|in touch)\b.{0,80}$",
            r"\b(tell us|let us know|share your thoughts|have your say|join the conversation)\b.{0,80}(comment|below|think|facebook|twitter)",
            r"^(leave|post|add|write|submit) (a|your) (comment|reply|response)\b",
            r"^(got|have|send)( us)?( a| any| your)? (tips?|news tips?|story|questions?|comments?|corrections?)\b.{0,40}\b(e-?mail|contact|us|send|\?)",
            r"^for (more|further) (on\b|information|details|news|stories|coverage|about)",
            r"^(to|for) (contact|reach|advertise|donate)\b",
            r"\bcan be (reached|contacted) (at|on|via)\b.{0,80}$",
            r"^(please )?(visit|see|go to|check out) (our|the|us|www|http)\b.{0,60}\b(site|website|page|at|www|http)\b",
            r"^(become|join) (a |an |as a )?(member|subscriber|supporter)\b",
            r"\bmembership is (open|available|free) to (anyone|all|everyone)\b",
            r"^(donate|support (us|our)|make a donation)\b.{0,100}$",
            r"^(help|support) (us|independent) .{0,60}\b(journalism|donat|work)",
            r"^download (our|the) .{0,40}\bapp\b",
        ])
    }),
};

/// What leads elsewhere on the site or on the web.
static NAVIGATION: Rules = Rules {
    longest: 200,
    patterns: LazyLock::new(|| {
        patterns(&[
            r"^(skip|jump|back|return|go) to\b[^.]{0,50}$",
            r"^search( |:|$)[^.]{0,40}$",
            r"^(home( page)?|menu|news|login|register|subscribe|about( us)?|contact( us)?|archives?|advertisements?|advertise.{0,20}|sponsored.{0,20}|promoted|share|print|e-?mail|tweet|save|tags?|topics|sections?|loading|close|next|previous|top|membership|comments?|related|slideshow|gallery|video|transcript|credits|newsletters?|privacy policy|terms( of (use|service))?|cookie policy|faq)[.:>|! ]*$",
            r"^(share|print|e-?mail|tweet|save|bookmark|republish|reprint|pin) (this|on|to|via|article|story|it|page)\b.{0,50}$",
            r"^(categor(y|ies)|tags?|topics?|filed under|posted in|published in|section|keywords|labels?|more about)\s*:",
            r"^(publication|volume|issue|section|page|edition|word count|reading time|estimated reading)\s*:",
            r"^\[?(read|see|watch|view|listen)( \w+){0,3} (more|also|full|next|collection|gallery|slideshow|video|photos|debate|cartoons?|transcript|interactive|related)\b",
            r"^\[(read|see|watch|view|listen|related|more|check out|photos?|gallery)\b[^\]]*\]?$",
            r"^(read|see|watch|view|listen|also|next|up next|recommended|related|editor's picks?|from the archives?|in (pictures|photos)|photos?|gallery|slideshow|interactive|live blog|most (read|popular|viewed|shared))( [\w']+){0,3}\s*(:|>|\|)",
            r"^(more|also) (on|from|in|about) [\w .]{2,30}:",
            r"^(read|see) (more|also|next)\b",
            r"^(related|recommended|trending|popular|latest|top|more|other|recent|featured|similar) (articles?|stories|posts|videos|coverage|content|links|topics|headlines|news)\b.{0,30}$",
            r"^([\w ]{1,24}:)?\s*(https?://|www\.)\S+$",
            r"^[\w.+-]+@[\w-]+\.[\w.]+$",
            r"^(e-?mail|tel|telephone|phone|fax|contact|media contact|press contact|web(site)?)( \w+){0,2}\s*:",
            r"^\d+ comments?\b.{0,20}$",
            r"^comments? (are|have been|on this|for this)\b.{0,60}$",
            r"^total (index|results|articles)\b",
            r"^(\w[\w '&]{0,24} ?[>|\u{BB}] ?){2,}",
            r"\b(enable|accept|allow|turn on)\b.{0,30}\b(javascript|cookies)\b",
            r"\b(uses|use of|our) cookies\b",
            r"^you (have been|are being) re-?directed\b",
            r"^page \d+( of \d+)?$",
            r"^\(?\d+ (shares|views|likes|retweets|min read)\b.{0,20}$",
        ])
    }),
};

/// Who wrote and edited it.
static BYLINES: Rules = Rules {
    longest: 400,
    patterns: LazyLock::new(|| {
        patterns(&[
            r"^(by|written by|posted by|author|authors)\s*:?$",
            r"^(author|written by|posted by|published by|story by|text by|words by|photographs by)s?\s*:? .{2,80}$",
            r"^\(?((additional |writing and |further )?(reporting|editing|writing)( and \w+)?) by\b.{2,200}$",
            r"\bcontributed (to (this|the) (report|story|article)|reporting)\b.{0,40}$",
            r"^[\p{L}. '-]{3,60} (is|was) produced with\b",
            r"^about the authors?\b",
            r"^(the )?(author|writer)s? (is|are|was) ",
        ])
    }),
};

#[cfg(test)]
mod tests {
    use super::is_furniture;

    #[test]
    fn furniture_of_many_kinds_is_told() {
        for line in [
            "\u{A9} 2012 The Example Press. All rights reserved.",
            "(c) 2011 Agency",
            "Subscribe to our Mailing List!",
            "/ Subscribe",
            "Photo: J. Doe",
            "A goalkeeper saves a penalty on Sunday. (Photo: A. Smith/Agency)",
            "3 of 12. Workers clear rubble after the storm.",
            "Follow us on Twitter",
            "Read more: the full list of winners",
            "[See a collection of cartoons.]",
            "Home > News > Europe",
            "(Reporting by Jane Doe; Editing by John Smith)",
            "John Smith contributed to this report.",
            "The views expressed here are the author's alone.",
            "http://example.org/story",
            "Category: Politics",
            "Jane Doe can be reached at jane@example.org",
        ] {
            assert!(is_furniture(line), "{line}");
        }
    }

    #[test]
    fn reporting_that_sounds_like_furniture_is_kept() {
        for line in [
            "Subscribers to the network rose 12 pct, the company said.",
            "The photo, taken in 1987, shows the minister with rebels.",
            "Copyright law must change, the court ruled on Friday.",
            "By Monday, the government must present a budget.",
            "He followed her on Twitter for a year before the attack, police said.",
            "Register offices across the country closed on Tuesday.",
            "Search teams found two survivors on Tuesday.",
            "Home sales fell in March.",
            "More on-time arrivals were recorded.",
            "Sign language interpreters went on strike.",
            "See you in court, he wrote to the regulator.",
            "Page Industries said profit rose.",
            "Image Technology makes chemicals for the industry.",
            "Production by the company is expected to rise to 3.33 mln tonnes.",
            "(c) the abolition of child labour; and",
            "The suspect was arrested near the border. (Source: WXYZ)",
            "And the worse: \"I am surprised by how venomous people can be.\"",
            "Prices may fall by October, the Oil World newsletter said.",
            "Exchange membership is open to banks with an office in the country.",
            "Live music returned to the square on Saturday: thousands came.",
        ] {
            assert!(!is_furniture(line), "{line}");
        }
    }
}
