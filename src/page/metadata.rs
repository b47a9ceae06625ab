use std::sync::LazyLock;

use dom_query::Document;
use regex::Regex;

use crate::text::{LanguageTag, pattern};

use super::json_ld::Stated;

/// Characters that the name of an outlet or the names of authors have at most.
const LONGEST_NAME: usize = 120;

/// Bytes of an address that is one.
const LONGEST_ADDRESS: usize = 2_048;

/// The `meta` elements of a page: what they are called, in lower case, and what they say.
#[derive(Debug, Default)]
pub(super) struct Metas(Vec<(String, String)>);

impl Metas {
    pub fn in_page(document: &Document) -> Self {
        let mut metas = Vec::new();
        for meta in document.select("meta[content]").nodes() {
            let content = squeezed(&meta.attr_or("content", ""));
            for attribute in ["name", "property", "itemprop", "http-equiv"] {
                let name = meta.attr_or(attribute, "").trim().to_ascii_lowercase();
                if !name.is_empty() && !content.is_empty() {
                    metas.push((name, content.clone()));
                }
            }
        }
        Self(metas)
    }

    /// What the elements of these names say, the first name first.
    pub fn all<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = &'a str> {
        names.iter().flat_map(move |name| {
            self.0.iter().filter(move |(own, _)| own == name).map(|(_, content)| content.as_str())
        })
    }
}

/// A text on one line, with single spaces and without control characters.
pub(super) fn squeezed(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The first heading that says something.
pub(super) fn heading(document: &Document) -> String {
    let headings = document.select("h1, h2, title");
    let mut texts = headings.iter().map(|heading| squeezed(&heading.text()));
    texts.find(|text| !text.is_empty()).unwrap_or_default()
}

/// The canonical address: an absolute one, and not that of the whole site if another one is
/// stated.
pub(super) fn url(document: &Document, metas: &Metas, stated: &Stated) -> String {
    let links = document.select("link[rel~='canonical'][href]");
    let links: Vec<String> =
        links.iter().map(|link| link.attr_or("href", "").trim().to_owned()).collect();
    let addresses = links.iter().map(String::as_str).chain(metas.all(&["og:url"]));
    let addresses = addresses.chain([stated.url.as_str()]).chain(metas.all(&["url"]));
    let addresses: Vec<&str> = addresses.filter(|url| host(url).is_some()).collect();
    let of_article = addresses.iter().find(|url| !is_root(url));
    of_article.or(addresses.first()).map(|url| (*url).to_owned()).unwrap_or_default()
}

/// The host of an absolute address of the web.
fn host(url: &str) -> Option<&str> {
    let (scheme, rest) = url.split_once("://")?;
    let is_web = ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known));
    let host = rest.split(['/', '?', '#']).next()?;
    let fits = url.len() <= LONGEST_ADDRESS
        && host.contains('.')
        && !url.contains(|c: char| c.is_whitespace() || c.is_control());
    (is_web && fits).then_some(host)
}

fn is_root(url: &str) -> bool {
    url.split_once("://").is_none_or(|(_, rest)| {
        rest.split_once('/').is_none_or(|(_, path)| path.trim_matches('/').is_empty())
    })
}

/// The outlet by its name, else by its host.
pub(super) fn outlet(document: &Document, metas: &Metas, stated: &Stated) -> String {
    const NAMES: [&str; 8] = [
        "og:site_name",
        "site_name",
        "application-name",
        "dc.publisher",
        "dcterms.publisher",
        "citation_journal_title",
        "cre",
        "apple-mobile-web-app-title",
    ];
    let candidates = [stated.outlet.as_str()].into_iter().chain(metas.all(&NAMES));
    let named = candidates.filter(|name| is_name(name)).map(str::to_owned).next();
    named.unwrap_or_else(|| {
        let url = url(document, metas, stated);
        let host = host(&url).unwrap_or_default();
        host.strip_prefix("www.").unwrap_or(host).to_owned()
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains("://") && text.chars().count() <= LONGEST_NAME
}

/// What stands before the names of authors.
static BY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(by|von|par|por|di|written by|posted by|author)\b[: ]+"));

/// Who wrote it, with commas between several.
pub(super) fn author(document: &Document, metas: &Metas, stated: &Stated) -> String {
    const NAMES: [&str; 9] = [
        "author",
        "article:author",
        "parsely-author",
        "sailthru.author",
        "byl",
        "dc.creator",
        "dcterms.creator",
        "og:article:author",
        "citation_author",
    ];
    let stated = stated.authors.join(", ");
    let marked = document
        .select("[itemprop~='author'] [itemprop~='name'], [rel~='author'], [itemprop~='author']");
    let marked = marked.iter().map(|element| element.text().to_string());
    let candidates = [stated].into_iter().chain(metas.all(&NAMES).map(str::to_owned));
    let mut authors =
        candidates.chain(marked).map(|text| BY.replace(&squeezed(&text), "").into_owned());
    let is_author = |text: &String| is_name(text) && !text.contains(|c: char| c.is_ascii_digit());
    authors.find(is_author).unwrap_or_default()
}

/// The language that the page says it is in.
pub(super) fn language(document: &Document, metas: &Metas, stated: &Stated) -> Option<LanguageTag> {
    let root = document.select_single("html");
    let root = root.attr("lang").or_else(|| root.attr("xml:lang")).unwrap_or_default();
    let named = [&*root, &stated.language].map(str::to_owned).into_iter();
    let named =
        named.chain(metas.all(&["og:locale", "content-language", "language"]).map(str::to_owned));
    // Only codes: "English" is well-formed too.
    let is_code = |tag: &LanguageTag| tag.primary().len() <= 3;
    named.filter_map(|tag| LanguageTag::parse(tag.trim().replace('_', "-").as_str())).find(is_code)
}

#[cfg(test)]
mod tests {
    use super::{Metas, author, language, outlet, url};
    use crate::page::json_ld::Stated;
    use crate::page::tree::parse;

    struct Read {
        outlet: String,
        author: String,
        url: String,
        language: String,
    }

    fn read(page: &str) -> Read {
        let document = parse(page).unwrap();
        let (metas, stated) = (Metas::in_page(&document), Stated::in_page(&document));
        Read {
            outlet: outlet(&document, &metas, &stated),
            author: author(&document, &metas, &stated),
            url: url(&document, &metas, &stated),
            language: language(&document, &metas, &stated)
                .map(|tag| tag.to_string())
                .unwrap_or_default(),
        }
    }

    #[test]
    fn the_canonical_address_is_absolute_and_of_the_article() {
        let og = "<meta property='og:url' content='https://example.org/news/1'>";
        for canonical in
            ["/news/1", "https://example.org/", "javascript:void(0)", "https:// x.org/a"]
        {
            let page = format!("<link rel=canonical href='{canonical}'>{og}");
            assert_eq!(read(&page).url, "https://example.org/news/1", "{canonical}");
        }
        let page = format!("<link rel='canonical' href='https://example.org/a'>{og}");
        assert_eq!(read(&page).url, "https://example.org/a");
        assert_eq!(read("<p>text").url, "");
    }

    #[test]
    fn an_outlet_has_a_name_and_no_address() {
        let page = "<meta property=og:site_name content='https://example.org'>\
                    <meta name=application-name content='The  Example'>";
        assert_eq!(read(page).outlet, "The Example");
        let page = "<link rel=canonical href='https://www.example.org/a'>";
        assert_eq!(read(page).outlet, "example.org");
    }

    #[test]
    fn authors_are_people_and_not_addresses_or_dates() {
        let page = "<meta property='article:author' content='https://facebook.com/jane'>\
                    <p rel=author>May 3, 2021</p><a rel='author'>By Jane Doe</a>";
        assert_eq!(read(page).author, "Jane Doe");
    }

    #[test]
    fn languages_are_tags() {
        assert_eq!(read("<html lang='fr-CA'><p>x").language, "fr-CA");
        let page = "<html lang=''><meta name=language content=English><meta property='og:locale' content='de_AT'>";
        assert_eq!(read(page).language, "de-AT");
        assert_eq!(read("<p>x").language, "");
    }
}
