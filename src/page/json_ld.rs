use std::collections::HashMap;

use dom_query::Document;
use serde_json::{Map, Value};

use super::metadata::squeezed;

type Object = Map<String, Value>;

/// Types of schema.org that are articles end like this.
const ARTICLES: [&str; 5] = ["Article", "Posting", "Report", "Review", "Essay"];

/// What the page's JSON-LD states about the article; empty where it does not.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stated {
    pub headline: String,
    pub published: String,
    pub created: String,
    pub outlet: String,
    pub authors: Vec<String>,
    pub url: String,
    pub language: String,
    /// The whole text, where the page gives it.
    pub body: String,
}

impl Stated {
    /// Of the first article that the page describes.
    pub fn in_page(document: &Document) -> Self {
        let scripts = document.select("script[type='application/ld+json']");
        let blocks = scripts.iter().filter_map(|script| parse(&script.text()));
        let blocks: Vec<Value> = blocks.collect();
        let mut objects = Vec::new();
        blocks.iter().for_each(|block| collect(block, &mut objects));
        let article = objects.iter().find(|object| is_article(object));
        article.map(|article| Names::of(&objects).stated(article)).unwrap_or_default()
    }
}

/// JSON as pages have it: in comments or CDATA, with raw line breaks in strings. serde_json
/// bounds how deep it may be nested.
fn parse(text: &str) -> Option<Value> {
    let text = text.replace(char::is_control, " ");
    let text = text.trim().trim_start_matches("<!--").trim_start_matches("//").trim_start();
    let text = text.trim_start_matches("<![CDATA[").trim_end_matches(';').trim_end();
    let text =
        text.trim_end_matches("-->").trim_end_matches("]]>").trim_end().trim_end_matches("//");
    serde_json::from_str(text).ok()
}

/// The objects that a block describes, in its order.
fn collect<'a>(value: &'a Value, objects: &mut Vec<&'a Object>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(value, objects)),
        Value::Object(object) => {
            objects.push(object);
            for key in ["@graph", "mainEntity", "mainEntityOfPage"] {
                object.get(key).into_iter().for_each(|value| collect(value, objects));
            }
        }
        _ => {}
    }
}

fn is_article(object: &Object) -> bool {
    let types = object.get("@type").map(strings).unwrap_or_default();
    types.iter().any(|name| ARTICLES.iter().any(|ending| name.ends_with(ending)))
}

/// A string, or the strings in a list.
fn strings(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn string(object: &Object, key: &str) -> String {
    object
        .get(key)
        .map(strings)
        .and_then(|texts| Some(squeezed(texts.first()?)))
        .unwrap_or_default()
}

/// The first of several keys that says something.
fn first(object: &Object, keys: &[&str]) -> String {
    let mut texts = keys.iter().map(|key| string(object, key));
    texts.find(|text| !text.is_empty()).unwrap_or_default()
}

/// The names of what a page describes, by its id: objects refer to one another by these.
struct Names<'a>(HashMap<&'a str, &'a Object>);

impl<'a> Names<'a> {
    fn of(objects: &[&'a Object]) -> Self {
        let named = objects.iter().filter(|object| object.contains_key("name"));
        Self(named.filter_map(|object| Some((object.get("@id")?.as_str()?, *object))).collect())
    }

    fn stated(&self, article: &Object) -> Stated {
        let named = |key: &str| article.get(key).map(|value| self.names(value)).unwrap_or_default();
        let address = article.get("mainEntityOfPage").and_then(|page| match page {
            Value::Object(page) => page.get("@id").and_then(Value::as_str),
            page => page.as_str(),
        });
        let [authors, creators] = ["author", "creator"].map(named);
        Stated {
            headline: first(article, &["headline", "name"]),
            published: first(article, &["datePublished"]),
            created: first(article, &["dateCreated", "uploadDate"]),
            outlet: named("publisher").into_iter().next().unwrap_or_default(),
            authors: if authors.is_empty() { creators } else { authors },
            url: match first(article, &["url"]) {
                url if url.is_empty() => address.unwrap_or_default().to_owned(),
                url => url,
            },
            language: first(article, &["inLanguage"]),
            body: body(article),
        }
    }

    /// What people or organisations are called: by name, by a list, by an object or its id.
    fn names(&self, value: &Value) -> Vec<String> {
        let name = |value: &Value| match value {
            Value::String(name) => Some(squeezed(name)),
            Value::Object(object) => Some(string(self.meant(object), "name")),
            _ => None,
        };
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        values.iter().filter_map(name).filter(|name| !name.is_empty()).collect()
    }

    /// The object itself, or the one of the page that it only names by its id.
    fn meant<'b>(&'b self, object: &'b Object) -> &'b Object {
        let id = object.get("@id").and_then(Value::as_str);
        let described = id.filter(|_| !object.contains_key("name")).and_then(|id| self.0.get(id));
        described.copied().unwrap_or(object)
    }
}

/// The text of an article, or of a live blog with its entries.
fn body(article: &Object) -> String {
    let own = article.get("articleBody").and_then(Value::as_str).unwrap_or_default();
    let entries = match article.get("liveBlogUpdate") {
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(entry) => std::slice::from_ref(entry),
        None => &[],
    };
    let entries = entries.iter().filter_map(Value::as_object).flat_map(|entry| {
        ["headline", "articleBody"]
            .map(|key| entry.get(key).and_then(Value::as_str).unwrap_or_default())
    });
    let parts: Vec<&str> =
        std::iter::once(own).chain(entries).filter(|text| !text.is_empty()).collect();
    parts.join("\n")
}

#[cfg(test)]
mod tests {
    use super::Stated;
    use crate::page::tree::parse;

    fn stated(json: &str) -> Stated {
        let page = format!("<script type=\"application/ld+json\">{json}</script><p>text");
        Stated::in_page(&parse(&page).unwrap())
    }

    #[test]
    fn an_article_is_found_in_a_graph_with_who_wrote_it() {
        let stated = stated(
            r#"{"@context": "https://schema.org", "@graph": [
                {"@type": "WebSite", "@id": "site", "name": "The Gazette"},
                {"@type": "Person", "@id": "jane", "name": "Jane  Doe"},
                {"@type": ["NewsArticle", "Thing"], "headline": "Rates rise", "datePublished": "2021-05-03",
                 "author": [{"@id": "jane"}, "John Smith"], "publisher": {"@id": "site"},
                 "mainEntityOfPage": {"@id": "https://example.org/rates"}, "inLanguage": "en-GB"}]}"#,
        );
        let expected = Stated {
            headline: "Rates rise".to_owned(),
            published: "2021-05-03".to_owned(),
            created: String::new(),
            outlet: "The Gazette".to_owned(),
            authors: vec!["Jane Doe".to_owned(), "John Smith".to_owned()],
            url: "https://example.org/rates".to_owned(),
            language: "en-GB".to_owned(),
            body: String::new(),
        };
        assert_eq!(stated, expected);
    }

    #[test]
    fn json_is_read_as_pages_have_it() {
        let json = "//<![CDATA[\n[{\"@type\": \"BlogPosting\", \"headline\": \"A\nB\"}]\n//]]>";
        assert_eq!(stated(json).headline, "A B");
        assert_eq!(stated("<!-- {\"@type\": \"Report\", \"name\": \"A\"} -->").headline, "A");
    }

    #[test]
    fn a_live_blog_is_its_entries() {
        let json = r#"{"@type": "LiveBlogPosting", "headline": "Live", "liveBlogUpdate": [
            {"@type": "BlogPosting", "headline": "One", "articleBody": "First."},
            {"@type": "BlogPosting", "articleBody": "Second."}]}"#;
        assert_eq!(stated(json).body, "One\nFirst.\nSecond.");
    }

    #[test]
    fn what_is_no_article_or_no_json_states_nothing() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for json in ["", "{", &deep, r#"{"@type": "Organization", "name": "A"}"#, "null", "[[1]]"] {
            assert_eq!(stated(json), Stated::default());
        }
    }
}
