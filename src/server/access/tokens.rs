use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use super::Right;

/// Random bytes of a token.
const RANDOM: usize = 32;

/// What every token begins with, so that it is known for one wherever it turns up.
const PREFIX: &str = "copydesk_";

/// What is kept of a token: its SHA-256. A token is 256 random bits, so nobody finds it by
/// trying, and neither salt nor a slow hash would add to that: those protect what people
/// think up, and a slow hash on every call is a way to keep the server busy.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest([u8; 32]);

impl Digest {
    pub fn of(token: &[u8]) -> Self {
        Self(Sha256::digest(token).into())
    }

    fn parse(hex: &str) -> Option<Self> {
        let digit = |digit: u8| char::from(digit).to_digit(16).and_then(|it| u8::try_from(it).ok());
        let mut bytes = [0; 32];
        let (pairs, rest) = hex.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = digit(*high)? << 4 | digit(*low)?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The tokens that a server knows, by their hashes, and what each may do.
#[derive(Clone)]
pub(super) struct Tokens(Vec<(Digest, Right)>);

impl Tokens {
    /// Reads a tokens file: a token a line, its right, its hash, and what else helps
    /// people to know it; `#` begins a comment.
    ///
    /// # Errors
    ///
    /// What is wrong, and in which line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut tokens: Vec<(Digest, Right)> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let wrong = |cause: &str| Err(format!("line {}: {cause}", index + 1));
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            let Some(right) = words.next() else { continue };
            let Some(right) = Right::parse(right) else {
                return wrong("does not begin with a right; give read, write or admin");
            };
            let Some(digest) = words.next().and_then(Digest::parse) else {
                return wrong(
                    "has no hash after its right; give the 64 hex digits that \
                     `copydesk token new` prints",
                );
            };
            if tokens.iter().any(|(other, _)| *other == digest) {
                return wrong("has the hash of an earlier line; leave one of them out");
            }
            tokens.push((digest, right));
        }
        match tokens.is_empty() {
            true => Err("holds no token; make one with `copydesk token new`".to_owned()),
            false => Ok(Self(tokens)),
        }
    }

    /// What the token with this hash may do. Takes as long whichever it is, and however
    /// much of it is right.
    pub fn right(&self, digest: &Digest) -> Option<Right> {
        self.0.iter().fold(None, |found, (known, right)| {
            if bool::from(known.0.ct_eq(&digest.0)) { Some(*right) } else { found }
        })
    }
}

/// A token just made.
pub struct NewToken {
    /// The token, for the client. It is kept nowhere.
    pub token: String,
    /// The line for the tokens file.
    pub line: String,
}

impl NewToken {
    /// Makes a token with a right. `name` is for people: whose it is.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub fn generate(right: Right, name: &str) -> Result<Self, getrandom::Error> {
        let mut bytes = [0; RANDOM];
        getrandom::fill(&mut bytes)?;
        let token = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes));
        let line = format!("{:<5} {} {name}", right.as_str(), Digest::of(token.as_bytes()));
        Ok(Self { line: line.trim_end().to_owned(), token })
    }
}

#[cfg(test)]
mod tests {
    use super::{Digest, NewToken, Right, Tokens};

    #[test]
    fn what_is_made_is_let_in_with_its_right() {
        let made = [Right::Read, Right::Write, Right::Admin]
            .map(|right| (right, NewToken::generate(right, "somebody # in the newsroom").unwrap()));
        let lines: Vec<&str> = made.iter().map(|(_, made)| made.line.as_str()).collect();
        let file = format!("# ours\n\n{}\n", lines.join("\n"));
        let tokens = Tokens::parse(&file).unwrap();
        for (right, NewToken { token, .. }) in &made {
            assert_eq!(tokens.right(&Digest::of(token.as_bytes())), Some(*right));
            assert!(!file.contains(token.as_str()));
        }
        assert_eq!(tokens.right(&Digest::of(b"copydesk_")), None);
    }

    #[test]
    fn a_line_that_is_wrong_is_named() {
        let hash = "0f".repeat(32);
        for (file, expected) in [
            (String::new(), "holds no token"),
            ("# none".to_owned(), "holds no token"),
            (format!("read {hash}\nwrte {hash}"), "line 2: does not begin with a right"),
            ("\nwrite".to_owned(), "line 2: has no hash"),
            (format!("admin {hash}0"), "line 1: has no hash"),
            (format!("admin {}", "\u{e9}".repeat(32)), "line 1: has no hash"),
            (format!("read {hash}\nadmin {}", hash.to_uppercase()), "line 2: has the hash of"),
        ] {
            let error = Tokens::parse(&file).err().unwrap();
            assert!(error.starts_with(expected), "{file}: {error}");
        }
    }
}
