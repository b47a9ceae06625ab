use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Bits that are set while others look at them, and never cleared.
#[derive(Debug)]
pub struct SharedBits {
    words: Vec<AtomicU64>,
    count: AtomicUsize,
}

impl SharedBits {
    pub fn new(length: usize) -> Self {
        let words = (0..length.div_ceil(64)).map(|_| AtomicU64::new(0)).collect();
        Self { words, count: AtomicUsize::new(0) }
    }

    /// Sets a bit. False if it was set.
    pub fn set(&self, at: u32) -> bool {
        let Some(word) = self.words.get(at as usize / 64) else { return false };
        let bit = 1 << (at % 64);
        let is_new = word.fetch_or(bit, Ordering::AcqRel) & bit == 0;
        if is_new {
            self.count.fetch_add(1, Ordering::AcqRel);
        }
        is_new
    }

    pub fn contains(&self, at: u32) -> bool {
        let word = self.words.get(at as usize / 64).map_or(0, |word| word.load(Ordering::Acquire));
        word & 1 << (at % 64) != 0
    }

    /// Bits that are set.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }
}
