//! JSON Lines as the command line reads them.

use copydesk::cli::json_lines;

/// Each line that is not empty is an article or an error, until no more are taken.
pub fn read_lines(bytes: &[u8]) {
    let lines = bytes.split(|&byte| byte == b'\n');
    let expected = lines.filter(|line| !line.trim_ascii().is_empty()).count();
    let read = |most: usize| {
        let mut count = 0;
        let read = json_lines("fuzz.jsonl", bytes, |article| {
            count += 1;
            match article {
                // What was read can be sent.
                Ok(document) => assert!(document.published_at.is_none_or(is_a_time)),
                Err(error) => assert!(error.starts_with("fuzz.jsonl")),
            }
            count < most
        });
        assert!(read.is_ok());
        count
    };
    assert_eq!(read(usize::MAX), expected);
    assert_eq!(read(1), expected.min(1));
}

/// Whether the contract can say it: years 1 to 9999.
fn is_a_time(time: prost_types::Timestamp) -> bool {
    (-62_135_596_800..=253_402_300_799).contains(&time.seconds)
        && (0..1_000_000_000).contains(&time.nanos)
}
