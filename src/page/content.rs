use std::sync::LazyLock;

use dom_query::{Document, NodeRef};
use regex::Regex;

use crate::text::pattern;

use super::PageParagraph;

/// Elements that hold no text of the article.
const SILENT: [&str; 14] = [
    "script", "style", "noscript", "template", "svg", "iframe", "object", "button", "select",
    "textarea", "head", "nav", "audio", "video",
];

/// Elements that stand in a line of text; all others begin and end a paragraph.
const INLINE: [&str; 36] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "ins", "kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp", "small",
    "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr",
];

/// Elements in a line that take the place of a space.
const SPACES: [&str; 4] = ["br", "img", "td", "th"];

/// Names of classes and ids of what stands in an article and is none of it.
static ASIDE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(^|[\s_-])(related|recirc\w*|newsletters?|promos?|share|sharing|social|subscri\w+|signup|tags?|bylines?|authors?|bio|captions?|credits?|adverts?|advertisement|sponsor\w*|read-?more|readmore|more-?stories|breadcrumbs?|comments?|trending|recommended|read-?also|see-?also)([\s_-]|$)",
    )
});

/// Characters of an element that is set apart by its name: wrappers of whole articles are
/// called all kinds of things.
const LONGEST_ASIDE: usize = 600;

/// Of a hundred characters of a paragraph, how many must be a link's for it to be one.
const LINKED: usize = 90;

/// The paragraphs of the article under `root`.
pub(super) fn paragraphs(root: &NodeRef<'_>) -> Vec<PageParagraph> {
    let mut walk = Walk::default();
    walk.children(root, Place::default());
    walk.end_paragraph();
    mark_lists(&mut walk.found);
    let found = walk.found.into_iter();
    found
        .map(|found| PageParagraph { is_furniture: found.is_furniture(), text: found.text })
        .collect()
}

/// Everything in `p` elements, where no article can be found.
pub(super) fn all_paragraphs(document: &Document) -> Vec<PageParagraph> {
    let elements = document.select("p");
    elements.nodes().iter().flat_map(paragraphs).collect()
}

/// Where a text stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    is_link: bool,
    is_aside: bool,
    is_heading: bool,
    is_item: bool,
}

impl Place {
    fn within(self, element: &NodeRef<'_>, name: &str) -> Self {
        Self {
            is_link: self.is_link || name == "a",
            is_aside: self.is_aside || name == "figcaption" || is_aside(element, name),
            is_heading: self.is_heading || matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6"),
            is_item: self.is_item || name == "li",
        }
    }
}

fn is_aside(element: &NodeRef<'_>, name: &str) -> bool {
    let is_called = |attribute: &str| ASIDE.is_match(&element.attr_or(attribute, ""));
    !INLINE.contains(&name)
        && (is_called("class") || is_called("id"))
        && element.normalized_char_count() <= LONGEST_ASIDE
}

/// A paragraph, and what its markup says about it.
#[derive(Debug, Default)]
struct Found {
    text: String,
    /// Bytes of it that are links.
    linked: usize,
    place: Place,
    is_in_list_of_links: bool,
}

impl Found {
    fn is_link(&self) -> bool {
        self.linked * 100 >= self.text.len() * LINKED
    }

    fn is_furniture(&self) -> bool {
        let is_lone_link = self.is_link() && !self.place.is_heading && !self.place.is_item;
        self.place.is_aside || self.is_in_list_of_links || is_lone_link
    }
}

/// Reads an article in the order of its elements. Recursion goes as deep as the parser lets
/// elements be nested.
#[derive(Default)]
struct Walk {
    found: Vec<Found>,
    current: Found,
    /// White space came since the last word.
    is_apart: bool,
}

impl Walk {
    fn children(&mut self, node: &NodeRef<'_>, place: Place) {
        for child in node.children_it(false) {
            if child.is_text() {
                self.text(&child.text(), place);
            } else if let Some(name) = child.node_name() {
                self.element(&child, &name, place);
            }
        }
    }

    fn element(&mut self, element: &NodeRef<'_>, name: &str, place: Place) {
        if SILENT.contains(&name) {
            return;
        }
        let inner = place.within(element, name);
        let is_space = SPACES.contains(&name);
        if !is_space && !INLINE.contains(&name) {
            self.end_paragraph();
            self.children(element, inner);
            self.end_paragraph();
        } else {
            self.is_apart |= is_space;
            self.children(element, inner);
        }
    }

    fn text(&mut self, text: &str, place: Place) {
        self.is_apart |= text.starts_with(char::is_whitespace);
        for word in text.split_whitespace() {
            if self.current.text.is_empty() {
                self.current.place = place;
            } else if self.is_apart {
                self.current.text.push(' ');
                self.current.linked += usize::from(place.is_link);
            }
            self.current.text.push_str(word);
            self.current.linked += if place.is_link { word.len() } else { 0 };
            self.is_apart = true;
        }
        self.is_apart =
            text.ends_with(char::is_whitespace) || self.is_apart && text.trim().is_empty();
    }

    fn end_paragraph(&mut self) {
        self.is_apart = false;
        if !self.current.text.is_empty() {
            self.found.push(std::mem::take(&mut self.current));
        }
    }
}

/// Lists whose items are links lead elsewhere, and so do the headings over them.
fn mark_lists(found: &mut [Found]) {
    let mut heading: Option<&mut Found> = None;
    for run in found.chunk_by_mut(|a, b| a.place.is_item == b.place.is_item) {
        let is_list = run.first().is_some_and(|first| first.place.is_item);
        if is_list && run.iter().all(Found::is_link) {
            run.iter_mut().chain(heading.take()).for_each(|found| found.is_in_list_of_links = true);
        }
        heading = run.last_mut().filter(|last| last.place.is_heading || last.text.ends_with(':'));
    }
}

#[cfg(test)]
mod tests {
    use super::{all_paragraphs, paragraphs};
    use crate::page::tree::parse;

    /// What a page says, furniture in brackets.
    fn read(page: &str) -> Vec<String> {
        let document = parse(page).unwrap();
        let found = paragraphs(document.select("body").nodes().first().unwrap());
        let shown = |text: String, is_furniture: bool| match is_furniture {
            true => format!("[{text}]"),
            false => text,
        };
        found.into_iter().map(|found| shown(found.text, found.is_furniture)).collect()
    }

    #[test]
    fn paragraphs_end_where_blocks_do_and_spaces_stay_single() {
        let page = "<div>One  <b>t</b>wo<p>three<br>four</p>five<ul><li>six</li><li>seven </li></ul>\
                    <h2>eight</h2><blockquote>nine</blockquote><table><tr><td>ten<td>11</table></div>";
        assert_eq!(
            read(page),
            ["One two", "three four", "five", "six", "seven", "eight", "nine", "ten 11"]
        );
        assert_eq!(read("<p>a <i>b</i> , c<i> d</i><i>e </i><b>f</b>"), ["a b , c de f"]);
    }

    #[test]
    fn what_is_not_shown_is_not_read() {
        assert_eq!(read("<p>a<script>x</script><style>y</style><button>z</button>b"), ["ab"]);
    }

    #[test]
    fn captions_and_what_is_set_apart_are_furniture() {
        let page = "<p>Report.</p><figure><img><figcaption>A man. Photo: B</figcaption></figure>\
                    <div class='newsletter-box'><p>Sign up</p></div><p class='story-body'>More.</p>";
        assert_eq!(read(page), ["Report.", "[A man. Photo: B]", "[Sign up]", "More."]);
    }

    #[test]
    fn a_wrapper_of_the_article_is_not_furniture_whatever_its_name() {
        let text = "A sentence of the report. ".repeat(40);
        let page = format!("<div class='share comments'><p>{text}</p></div>");
        assert_eq!(read(&page), [text.trim()]);
    }

    #[test]
    fn links_that_stand_alone_lead_elsewhere() {
        let page = "<p>He said <a href=x>so</a>.</p><p><a href=y>Five things we learned</a></p>\
                    <h2><a href=z>What next?</a></h2><p>More.</p>\
                    <h3>Also read</h3><ul><li><a href=a>One</a></li><li> <a href=b>Two</a></li></ul>";
        let expected = [
            "He said so.",
            "[Five things we learned]",
            "What next?",
            "More.",
            "[Also read]",
            "[One]",
            "[Two]",
        ];
        assert_eq!(read(page), expected);
        let list =
            "<p>He said:</p><ul><li><a href=a>One</a></li><li>Two, <a href=b>b</a></li></ul>";
        assert_eq!(read(list), ["He said:", "One", "Two, b"]);
    }

    #[test]
    fn without_an_article_paragraphs_are_left() {
        let document = parse("<div>menu</div><p>a</p><div><p>b</p></div>").unwrap();
        let texts: Vec<String> =
            all_paragraphs(&document).into_iter().map(|found| found.text).collect();
        assert_eq!(texts, ["a", "b"]);
    }
}
