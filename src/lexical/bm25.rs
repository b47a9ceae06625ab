//! BM25 as tantivy computes it, so that scores of its segments and of what came in lately
//! can be put in one order. Robertson and Zaragoza, "The probabilistic relevance framework:
//! BM25 and beyond" (2009), section 3.4.

const K1: f32 = 1.2;
const B: f32 = 0.75;

/// How rare a term is that stands in `with` of `all` texts.
pub(super) fn rarity(with: u64, all: u64) -> f32 {
    let (with, all) = (with as f32, all.max(with) as f32);
    (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
}

/// How much of that counts where the term stands `count` times in a text of that length.
pub(super) fn share(count: f32, length: f32, mean_length: f32) -> f32 {
    let length = length / mean_length.max(1.0);
    (K1 + 1.0) * count / (count + K1 * (1.0 - B + B * length))
}
