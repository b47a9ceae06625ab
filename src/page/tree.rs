use std::cell::Cell;
use std::time::Duration;

use dom_query::{Document, NodeId, NodeRef};
use html5ever::interface::Tracer;
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{Attribute, ParseOpts, parse_document};
use rustix::time::{ClockId, clock_gettime};

use super::PageError;

/// Elements, texts and comments that are read: news pages of several megabytes have 20,000.
const MOST_NODES: usize = 100_000;

/// How deep elements may be nested: browsers flatten what is deeper than 512.
const DEEPEST: usize = 512;

/// Bytes that are parsed between two looks at what became of them. In so many, tags that are
/// left open can make no more than some 100,000 nodes.
const STEP: usize = 1_024;

/// Processor time that parsing may take: megabytes take a tenth of a second, but a tag with very
/// many attributes takes the square of their number.
const MOST_TIME: Duration = Duration::from_secs(2);

/// Bytes of an attribute that is kept, and of a piece of text. html5ever writes a text down in
/// time that grows with the square of its length where it has very many ampersands.
const LONGEST: usize = 8_192;

/// Parses a page. The work for each byte is bounded by how many elements are open, so this is
/// looked at as parsing goes on, and so is the number of nodes, which a few open tags can
/// multiply.
///
/// # Errors
///
/// If there are too many nodes, if they are nested too deep, or if parsing takes too long.
pub(super) fn parse(html: &str) -> Result<Document, PageError> {
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    let mut parser = parse_document(Document::default(), options);
    let (started, mut rest) = (processor_time(), html);
    while !rest.is_empty() {
        let (step, after) = rest.split_at(rest.ceil_char_boundary(STEP));
        parser.process(StrTendril::from(step));
        let builder = &parser.tokenizer.sink;
        check_nodes(&builder.sink)?;
        let open = Open::default();
        builder.trace_handles(&open);
        check_depth(open.0.get())?;
        if processor_time().saturating_sub(started) > MOST_TIME {
            return Err(PageError::TooSlow(MOST_TIME.as_secs()));
        }
        rest = after;
    }
    let document = parser.finish();
    check_nodes(&document)?;
    // Where tags overlap, elements can be moved deeper than they were open.
    check_depth(depth_of(document.root()))?;
    cut_long_values(&document);
    Ok(document)
}

/// What this thread has used.
fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// Drops attributes that are too long to matter, and cuts long texts into several nodes.
/// Scripts stay whole: they are read before anything is written.
fn cut_long_values(document: &Document) {
    for node in document.root().descendants() {
        let is_long = |attribute: &Attribute| attribute.value.len() > LONGEST;
        for attribute in node.attrs().iter().filter(|attribute| is_long(attribute)) {
            if !node.has_name("meta") {
                node.remove_attr(&attribute.name.local);
            }
        }
        let is_script = node.parent().is_some_and(|parent| parent.has_name("script"));
        if node.is_text() && !is_script {
            cut_text(&node);
        }
    }
}

fn cut_text(node: &NodeRef<'_>) {
    let text = node.text();
    if text.len() <= LONGEST {
        return;
    }
    let (first, mut rest) = text.split_at(text.floor_char_boundary(LONGEST));
    let mut last = *node;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(LONGEST));
        let next = node.tree.new_text(piece);
        last.insert_after(&next);
        (last, rest) = (next, after);
    }
    node.set_text(first);
}

/// Counts the elements that the parser holds on to: those that are open, and those whose
/// formatting goes on.
#[derive(Default)]
struct Open(Cell<usize>);

impl Tracer for Open {
    type Handle = NodeId;

    fn trace_handle(&self, _: &NodeId) {
        self.0.set(self.0.get() + 1);
    }
}

fn check_nodes(document: &Document) -> Result<(), PageError> {
    match document.tree.len() > MOST_NODES {
        true => Err(PageError::TooManyNodes(MOST_NODES)),
        false => Ok(()),
    }
}

fn check_depth(depth: usize) -> Result<(), PageError> {
    if depth > DEEPEST { Err(PageError::TooDeep(DEEPEST)) } else { Ok(()) }
}

/// How deep the nodes under `root` are nested, found without recursion.
fn depth_of(root: NodeRef<'_>) -> usize {
    let (mut depth, mut deepest, mut node) = (0, 0, root);
    loop {
        if let Some(child) = node.first_child() {
            (depth, node) = (depth + 1, child);
            deepest = deepest.max(depth);
            continue;
        }
        while node.next_sibling().is_none() {
            match node.parent() {
                Some(parent) if depth > 0 => (depth, node) = (depth - 1, parent),
                _ => return deepest,
            }
        }
        match node.next_sibling() {
            Some(next) if depth > 0 => node = next,
            _ => return deepest,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DEEPEST, LONGEST, MOST_NODES, depth_of, parse};
    use crate::page::PageError;

    #[test]
    fn depth_is_that_of_the_deepest_node() {
        let document = parse("<div><p>a<b>b</b></p></div><p>c</p>").unwrap();
        // html, body, div, p, b, text
        assert_eq!(depth_of(document.root()), 6);
    }

    #[test]
    fn what_is_nested_too_deep_is_refused_early() {
        for tag in ["<div>", "<b>", "<table><td>", "<svg><g>", "<template>"] {
            let refused = parse(&tag.repeat(400_000)).err();
            assert_eq!(refused, Some(PageError::TooDeep(DEEPEST)), "{tag}");
        }
        let fine = format!("{}text", "<div>".repeat(DEEPEST - 10));
        assert!(parse(&fine).is_ok());
    }

    #[test]
    fn a_few_open_tags_cannot_multiply_what_follows() {
        let open: String = (0..200).map(|n| format!("<font color={n}>")).collect();
        let refused = parse(&format!("{open}{}", "<p>x".repeat(500_000))).err();
        assert_eq!(refused, Some(PageError::TooManyNodes(MOST_NODES)));
    }

    #[test]
    fn very_many_elements_are_refused() {
        let refused = parse(&"<br>".repeat(MOST_NODES + 1)).err();
        assert_eq!(refused, Some(PageError::TooManyNodes(MOST_NODES)));
    }

    #[test]
    fn text_is_not_cut_where_steps_end() {
        let text = "é".repeat(10_000);
        assert_eq!(&*parse(&format!("<p>{text}</p>")).unwrap().select("p").text(), text);
    }

    #[test]
    fn long_texts_are_cut_and_long_attributes_are_dropped() {
        let long = "\u{E9}&amp;".repeat(LONGEST);
        let document = parse(&format!("<p class='{long}' id=a>{long}<b>b</b></p>")).unwrap();
        let paragraph = document.select("p");
        assert_eq!(paragraph.attrs().len(), 1);
        assert_eq!(&*paragraph.text(), format!("{}b", long.replace("&amp;", "&")));
        assert!(paragraph.nodes()[0].children().iter().all(|child| child.text().len() <= LONGEST));
    }

    #[test]
    fn a_tag_of_very_many_attributes_is_given_up() {
        let attributes: String = (0..1_000_000).map(|n| format!("{n:x} ")).collect();
        assert_eq!(parse(&format!("<p {attributes}>")).err(), Some(PageError::TooSlow(2)));
    }
}
