use std::fmt;

use sha2::{Digest, Sha256};

use super::normalize;

/// SHA-256 of normalised text: two passages with the same hash say the same,
/// letter for letter, and share one embedding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentHash([u8; 32]);

impl ContentHash {
    /// Of the normalised form of `text`.
    pub fn of(text: &str) -> Self {
        Self::of_normalized(&normalize(text))
    }

    /// Of text that is normalised already.
    pub fn of_normalized(normalized: &str) -> Self {
        Self(Sha256::digest(normalized.as_bytes()).into())
    }

    /// Of a sequence of parts, told apart by their lengths.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        Self(digest.finalize().into())
    }

    /// From its 32 bytes; `None` if there are not 32.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first four bytes as a number: enough to tell by mistake from by chance.
    pub fn check(&self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_le_bytes([a, b, c, d])
    }

    /// In lower-case hex, 64 characters.
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}
