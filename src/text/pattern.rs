use regex::Regex;

/// Compiles a pattern that is a constant of the program; tests compile every one of them.
///
/// # Panics
///
/// If it is not a regular expression.
#[allow(clippy::expect_used, reason = "patterns are constants that the tests compile")]
pub fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("constant pattern")
}
