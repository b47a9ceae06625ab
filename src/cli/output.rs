use std::io::{self, IsTerminal, Write};
use std::sync::LazyLock;

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{ContentArrangement, Table};
use jiff::Timestamp;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde::{Serialize, Serializer};

use super::failure::Failure;
use crate::proto::DESCRIPTORS;
use crate::proto::v1 as pb;

/// Columns of a table where the terminal does not say how wide it is.
const WIDTH: u16 = 80;

/// Writes `text` and a line break to standard output.
pub fn line(text: impl std::fmt::Display) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{text}")?)
}

/// Writes a message of the contract, `name`, as one line of JSON.
pub fn json(name: &str, message: &impl Message) -> Result<(), Failure> {
    json_value(&Contract::of(name, message)?)
}

/// A message of the contract that becomes JSON with the names of the proto files.
pub struct Contract(DynamicMessage);

impl Contract {
    /// The message called `name`.
    pub fn of(name: &str, message: &impl Message) -> Result<Self, Failure> {
        static POOL: LazyLock<Option<DescriptorPool>> =
            LazyLock::new(|| DescriptorPool::decode(DESCRIPTORS).ok());
        let broken =
            |cause: String| Failure::Other(format!("cannot print the answer as JSON: {cause}"));
        let descriptor =
            POOL.as_ref().and_then(|pool| pool.get_message_by_name(&format!("copydesk.v1.{name}")));
        let descriptor = descriptor.ok_or_else(|| broken(format!("no message {name}")))?;
        let dynamic = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice());
        dynamic.map(Self).map_err(|error| broken(error.to_string()))
    }
}

impl Serialize for Contract {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let options = SerializeOptions::new()
            .use_proto_field_name(true)
            .stringify_64_bit_integers(false)
            .skip_default_fields(false);
        self.0.serialize_with_options(serializer, &options)
    }
}

/// Writes any value as one line of JSON.
pub fn json_value(value: &impl Serialize) -> Result<(), Failure> {
    line(serde_json::to_string(value).map_err(|error| Failure::Other(error.to_string()))?)
}

/// An empty table as wide as the terminal.
pub fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if !io::stdout().is_terminal() {
        table.set_width(WIDTH);
    }
    table.set_header(header);
    table
}

/// At most `most` characters of `text`, on one line.
pub fn short(text: &str, most: usize) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    match text.char_indices().nth(most) {
        None => text,
        Some((end, _)) => format!("{}\u{2026}", text.get(..end).unwrap_or_default().trim_end()),
    }
}

/// How many there are, and of what.
pub fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// The day of a time.
pub fn day(time: Option<prost_types::Timestamp>) -> String {
    let time = time.and_then(|time| Timestamp::from_second(time.seconds).ok());
    time.map(|time| time.strftime("%Y-%m-%d").to_string()).unwrap_or_default()
}

/// The day that a document was published; empty where nobody states it and the moment
/// of its ingest stands in.
pub fn published(document: &pb::DocumentSummary) -> String {
    match document.published_at == document.ingested_at {
        true => String::new(),
        false => day(document.published_at),
    }
}

/// A verdict in words.
pub fn verdict(verdict: i32) -> &'static str {
    match pb::Verdict::try_from(verdict) {
        Ok(pb::Verdict::New) => "new",
        Ok(pb::Verdict::ExactDuplicate) => "exact duplicate",
        Ok(pb::Verdict::NearDuplicate) => "near duplicate",
        Ok(pb::Verdict::Update) => "update",
        Ok(pb::Verdict::Unspecified) | Err(_) => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(short("a\n b", 5), "a b");
        assert_eq!(short("\u{e9}t\u{e9} 2023", 3), "\u{e9}t\u{e9}\u{2026}");
    }
}
