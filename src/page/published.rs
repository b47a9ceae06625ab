use std::sync::LazyLock;

use dom_query::{Document, NodeRef};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use regex::Regex;

use crate::text::{first_date, pattern, written_time};

use super::json_ld::Stated;
use super::metadata::{Metas, squeezed, url};

/// What outlets call the date of publication, the surest names first.
const NAMES: [&str; 46] = [
    "article:published_time",
    "article:published",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "rnews:datepublished",
    "article.published",
    "article:publicationdate",
    "parsely-pub-date",
    "sailthru.date",
    "cxenseparse:recs:publishtime",
    "cxenseparse:publishtime",
    "bt:pubdate",
    "dcsext.articlefirstpublished",
    "originalpublicationdate",
    "article_date_original",
    "shareaholic:article_published_time",
    "iso-8601-publish-date",
    "weibo:article:create_at",
    "citation_publication_date",
    "publication_date",
    "publication-date",
    "publish_date",
    "publish-date",
    "publishdate",
    "published_date",
    "published-date",
    "date_published",
    "published_at",
    "pub_date",
    "pubdate",
    "ptime",
    "pdate",
    "displaydate",
    "dcterms.issued",
    "dc.date.issued",
    "dcterms.created",
    "dc.date.created",
    "dcterms.available",
    "article.created",
    "datecreated",
    "creation_date",
    "dc.date",
    "dc:date",
    "dcterms.date",
    "date",
];

/// Years that a page of the web, or one made of an archive, can be from.
const YEARS: std::ops::RangeInclusive<i16> = 1800..=2200;

/// Characters of an element that does nothing but date the article.
const LONGEST_DATE: usize = 80;

/// When the page says that the article was published: in its data, in its `meta` elements, in
/// elements that are marked up as dates, in the line that dates it, or in its address.
pub(super) fn published_at(
    document: &Document,
    metas: &Metas,
    stated: &Stated,
) -> Option<Timestamp> {
    let read = |text: &str| date_in(text).filter(is_possible);
    read(&stated.published)
        .or_else(|| metas.all(&NAMES).find_map(read))
        .or_else(|| marked(document))
        .or_else(|| read(&stated.created))
        .or_else(|| in_address(&url(document, metas, stated)))
}

/// Systems write the start of their calendar where they know nothing.
fn is_possible(time: &Timestamp) -> bool {
    let year = time.to_zoned(TimeZone::UTC).year();
    YEARS.contains(&year) && time.as_second() != 0
}

/// How much further from the headline an element that stands above it seems to be: dates
/// mostly stand below.
const ABOVE: usize = 3;

/// How far from the headline an element may stand that is only called a date: many others are,
/// such as today's, over the page.
const NEAR: usize = 40;

/// What elements that are marked up as dates say: those of publication first, then `time`
/// elements, then what is called a date; of each, the one that is nearest to the headline.
fn marked(document: &Document) -> Option<Timestamp> {
    let elements: Vec<NodeRef<'_>> =
        document.root().descendants_it().filter(NodeRef::is_element).collect();
    let places = elements.iter().enumerate();
    let headlines: Vec<usize> =
        places.filter(|(_, element)| element.has_name("h1")).map(|(place, _)| place).collect();
    let dated = elements.iter().enumerate().filter(|(_, element)| !is_of_change(element));
    let mut dated: Vec<(Marking, usize, &NodeRef<'_>)> = dated
        .filter_map(|(place, element)| {
            Some((Marking::of(element)?, distance(place, &headlines), element))
        })
        .filter(|(marking, distance, _)| *marking != Marking::Called || *distance <= NEAR)
        .collect();
    dated.sort_by_key(|(marking, distance, _)| (*marking, *distance));
    dated.iter().find_map(|(_, _, element)| date_of(element))
}

/// How many elements are between the one at `place` and the nearest headline; very many where
/// there is none.
fn distance(place: usize, headlines: &[usize]) -> usize {
    let (over, under) =
        headlines.split_at(headlines.partition_point(|&headline| headline <= place));
    let below = over.last().map_or(usize::MAX, |headline| place - headline);
    let above = under.first().map_or(usize::MAX, |headline| (headline - place) * ABOVE);
    below.min(above)
}

/// How an element is marked up as a date, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Marking {
    Published,
    Time,
    Called,
}

impl Marking {
    fn of(element: &NodeRef<'_>) -> Option<Self> {
        static CALLED: LazyLock<Regex> =
            LazyLock::new(|| pattern("(?i)date|publish|posted|time|byline|meta"));
        let is_time = element.has_name("time");
        let published = element.attr_or("itemprop", "").contains("datePublished");
        if published || is_time && element.has_attr("pubdate") {
            return Some(Self::Published);
        }
        let is_called =
            || ["class", "id"].iter().any(|name| CALLED.is_match(&element.attr_or(name, "")));
        if is_time { Some(Self::Time) } else { is_called().then_some(Self::Called) }
    }
}

/// Whether it dates a later change.
fn is_of_change(node: &NodeRef<'_>) -> bool {
    static CHANGE: LazyLock<Regex> = LazyLock::new(|| pattern("(?i)updat|modif"));
    ["class", "itemprop", "id"].iter().any(|name| CHANGE.is_match(&node.attr_or(name, "")))
}

fn date_of(node: &NodeRef<'_>) -> Option<Timestamp> {
    let attributes = ["datetime", "content", "data-time", "data-timestamp", "title"];
    let written = attributes.iter().filter_map(|name| node.attr(name));
    let written = written.into_iter().find_map(|text| date_in(&text));
    written.or_else(|| date_in(&squeezed(&node.text()))).filter(is_possible)
}

/// The date in a text that is short enough to be there for it.
fn date_in(text: &str) -> Option<Timestamp> {
    let is_short = !text.is_empty() && text.chars().count() <= LONGEST_DATE;
    is_short.then(|| written_time(text).or_else(|| first_date(text)))?
}

/// "/2015/02/26/", "/2015-02-26-", "?a=20150226-".
fn in_address(url: &str) -> Option<Timestamp> {
    static DAY: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"[/=]((?:19|20)\d\d)([/-]?)(0[1-9]|1[0-2])([/-]?)(0[1-9]|[12]\d|3[01])(?:[/_.-]|$)",
        )
    });
    let (_, [year, first, month, second, day]) = DAY.captures(url)?.extract();
    (first == second).then(|| written_time(&format!("{year}-{month}-{day}")))?
}

#[cfg(test)]
mod tests {
    use super::published_at;
    use crate::page::json_ld::Stated;
    use crate::page::metadata::Metas;
    use crate::page::tree::parse;

    fn date(page: &str) -> Option<String> {
        let document = parse(page).unwrap();
        let (metas, stated) = (Metas::in_page(&document), Stated::in_page(&document));
        Some(published_at(&document, &metas, &stated)?.to_string())
    }

    #[test]
    fn dates_are_read_wherever_a_page_states_them() {
        for page in [
            "<script type='application/ld+json'>{\"@type\": \"NewsArticle\", \"datePublished\": \"2021-05-03\"}</script>",
            "<meta property='article:published_time' content='2021-05-03T00:00:00Z'>",
            "<meta name='pdate' content='20210503'>",
            "<h1>A</h1><span itemprop=datePublished content='2021-05-03'>yesterday</span>",
            "<h1>A</h1><time datetime='2021-05-03'>3 May</time>",
            "<h1>A</h1><p class='story-date'>Published: 3 May 2021</p>",
            "<h1>A</h1><div class=byline>By Jane Doe</div><div class=dateline>May 3rd, 2021</div>",
            "<link rel=canonical href='https://example.org/news/2021/05/03/a.html'>",
            "<link rel=canonical href='https://example.org/20210503-a'>",
        ] {
            assert_eq!(date(page).as_deref(), Some("2021-05-03T00:00:00Z"), "{page}");
        }
    }

    #[test]
    fn the_date_of_publication_is_not_that_of_a_change_or_of_another_story() {
        let page = "<time datetime='2019-01-01'></time><p><p><p><h1>A</h1>\
                    <time class=updated datetime='2021-06-01'></time><time datetime='2021-05-03'></time>\
                    <p>text<p>text<p>text<time datetime='2020-01-01'></time>";
        assert_eq!(date(page).as_deref(), Some("2021-05-03T00:00:00Z"));
        let page = "<time datetime='2019-01-01'></time><time itemprop='dateModified' datetime='2019-01-01'>\
                    </time><time itemprop='datePublished' datetime='2021-05-03'></time>";
        assert_eq!(date(page).as_deref(), Some("2021-05-03T00:00:00Z"));
    }

    #[test]
    fn what_no_clock_says_is_no_date() {
        for page in [
            "<meta name=date content='0001-01-01T00:00:00Z'>",
            "<meta name=date content='1970-01-01T00:00:00Z'>",
            "<meta name=date content='soon'>",
            "<p class=date>May 3, 2021</p><p><p><p><p><p><p><p><p><p><p><p><p><p><h1>A</h1>",
            "<h1>A</h1><p class=dateline>It was on May 3, 2021 that the talks began, he said, and since \
             then neither of the two sides has moved.</p>",
            "<link rel=canonical href='https://example.org/2021/13/45/a'>",
            "<link rel=canonical href='https://example.org/2021/0503/a'>",
        ] {
            assert_eq!(date(page), None, "{page}");
        }
    }
}
