//! Products of small integers, by the best instructions that the processor has: the one
//! thing that a walk through a graph spends its time on.
//!
//! A stored component is a byte, its value plus 128; one of a query is signed. All
//! kernels give the same sums, exactly.

#![allow(unsafe_code)]

#[cfg(target_arch = "aarch64")]
mod neon;
mod plain;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::sync::OnceLock;

/// Bytes that a row of codes is a multiple of: a line of the processor's cache.
pub const LINE: usize = 64;

/// Rows that are fetched into the cache together.
const FETCHED: usize = 32;

/// Instructions that products are computed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kernel {
    /// AVX-512 with VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// NEON.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// None in particular.
    Plain,
}

/// The components of a query as signed bytes, and 128 times their sum, which the offset of
/// the stored ones adds to every product.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    pub codes: &'a [i8],
    pub offset: i32,
}

/// Stored rows of `stride` bytes.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    pub codes: &'a [u8],
    pub stride: usize,
}

impl<'a> Rows<'a> {
    /// One row; empty if it is not there.
    pub fn row(&self, row: u32) -> &'a [u8] {
        let from = row as usize * self.stride;
        self.codes.get(from..from + self.stride).unwrap_or_default()
    }
}

impl Kernel {
    /// The best one for this processor.
    pub fn best() -> Self {
        static BEST: OnceLock<Kernel> = OnceLock::new();
        *BEST.get_or_init(|| Self::available().first().copied().unwrap_or(Self::Plain))
    }

    /// All that this processor can run, best first.
    pub fn available() -> Vec<Self> {
        let mut kernels = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512f") {
                kernels.push(Self::Avx512Vnni);
            }
            if is_x86_feature_detected!("avx2") {
                kernels.push(Self::Avx2);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            kernels.push(Self::Neon);
        }
        kernels.push(Self::Plain);
        kernels
    }

    /// The product of the query with each of these rows, in their order. Rows that are not
    /// there have none: the lowest number stands for it.
    pub fn gather(self, stored: Rows<'_>, rows: &[u32], query: Query<'_>, products: &mut Vec<i32>) {
        products.clear();
        let fetch = |rows: &[u32]| rows.iter().for_each(|&row| prefetch(stored.row(row)));
        let mut chunks = rows.chunks(FETCHED).peekable();
        chunks.peek().into_iter().for_each(|rows| fetch(rows));
        while let Some(rows) = chunks.next() {
            // The next ones while these are worked on.
            chunks.peek().into_iter().for_each(|rows| fetch(rows));
            self.each(rows.iter().map(|&row| stored.row(row)), query, products);
        }
    }

    /// Appends the product of the query with each of the rows.
    fn each<'a>(
        self,
        rows: impl Iterator<Item = &'a [u8]>,
        query: Query<'_>,
        products: &mut Vec<i32>,
    ) {
        match self {
            // SAFETY: such a kernel is only made where the processor was seen to have its
            // instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => unsafe { x86::avx512(rows, query, products) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { x86::avx2(rows, query, products) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Self::Neon => unsafe { neon::neon(rows, query, products) },
            Self::Plain => plain::plain(rows, query, products),
        }
    }

    /// The product of two signed rows; 0 if their lengths differ.
    pub fn product(self, a: &[i8], b: &[i8]) -> i32 {
        if a.len() != b.len() {
            return 0;
        }
        match self {
            // SAFETY: such a kernel is only made where the processor was seen to have its
            // instructions.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512Vnni => unsafe { x86::signed_avx512(a, b) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { x86::signed_avx2(a, b) },
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Self::Neon => unsafe { neon::signed(a, b) },
            Self::Plain => plain::signed(a, b),
        }
    }

    /// The product of the query with each of the rows in a range, which is cut to what is
    /// there.
    pub fn run(
        self,
        stored: Rows<'_>,
        range: std::ops::Range<usize>,
        query: Query<'_>,
        products: &mut Vec<i32>,
    ) {
        products.clear();
        let to = (range.end * stored.stride).min(stored.codes.len());
        let from = (range.start * stored.stride).min(to);
        let rows = stored.codes.get(from..to).unwrap_or_default().chunks_exact(stored.stride);
        self.each(rows, query, products);
    }
}

/// Asks the processor to bring bytes into its cache.
pub fn prefetch(bytes: &[u8]) {
    #[cfg(target_arch = "x86_64")]
    for line in bytes.chunks(LINE) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of x86-64; a prefetch changes nothing but the cache.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = bytes;
}

#[cfg(test)]
mod tests {
    use super::{Kernel, Query, Rows};
    use fastrand::Rng;

    #[test]
    fn all_kernels_give_the_same_sums_and_these_are_right() {
        let mut rng = Rng::with_seed(4);
        for stride in [64, 128, 192, 384, 768, 1_024] {
            let mut codes: Vec<u8> = (0..20 * stride).map(|_| rng.u8(1..)).collect();
            let mut query: Vec<i8> = (0..stride).map(|_| rng.i8(-127..)).collect();
            if stride == 128 {
                // What would saturate sixteen bits.
                codes.fill(255);
                query.fill(127);
            }
            let stored = Rows { codes: &codes, stride };
            let offset = 128 * query.iter().map(|&x| i32::from(x)).sum::<i32>();
            let expected: Vec<i32> = codes
                .chunks(stride)
                .map(|row| {
                    row.iter().zip(&query).map(|(&a, &b)| (i32::from(a) - 128) * i32::from(b)).sum()
                })
                .collect();
            let query = Query { codes: &query, offset };
            for kernel in Kernel::available() {
                let mut products = Vec::new();
                kernel.run(stored, 0..20, query, &mut products);
                assert_eq!(products, expected, "{kernel:?}, {stride}");
                kernel.run(stored, 3..7, query, &mut products);
                assert_eq!(products, expected[3..7]);
                kernel.gather(stored, &[7, 0, 19, 20], query, &mut products);
                assert_eq!(products, [expected[7], expected[0], expected[19], i32::MIN]);
                let signed: Vec<i8> = codes[..stride].iter().map(|&x| (x ^ 0x80) as i8).collect();
                assert_eq!(kernel.product(&signed, query.codes), expected[0]);
            }
        }
    }
}
