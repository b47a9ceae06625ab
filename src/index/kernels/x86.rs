#![allow(clippy::indexing_slicing, reason = "every place is below the length of an array")]

use std::arch::x86_64::{
    __m256i, __m512i, _mm_loadu_si128, _mm256_add_epi32, _mm256_castsi256_si128,
    _mm256_cvtepi8_epi16, _mm256_cvtepu8_epi16, _mm256_extracti128_si256, _mm256_madd_epi16,
    _mm256_setzero_si256, _mm512_add_epi32, _mm512_dpbusd_epi32, _mm512_loadu_si512,
    _mm512_reduce_add_epi32, _mm512_set1_epi8, _mm512_setzero_si512, _mm512_sub_epi32,
    _mm512_xor_si512,
};
use std::arch::x86_64::{_mm_add_epi32, _mm_cvtsi128_si32, _mm_shuffle_epi32};

use super::{LINE, Query};

/// Four products and their sum in one instruction, on 64 bytes at a time. For the usual
/// lengths the query stays in registers from row to row.
#[target_feature(enable = "avx512f,avx512vnni")]
pub fn avx512<'a>(rows: impl Iterator<Item = &'a [u8]>, query: Query<'_>, products: &mut Vec<i32>) {
    match query.codes.len() / LINE {
        6 => of_lines::<6>(rows, query, products),
        8 => of_lines::<8>(rows, query, products),
        12 => of_lines::<12>(rows, query, products),
        16 => of_lines::<16>(rows, query, products),
        _ => of_any(rows, query, products),
    }
}

#[target_feature(enable = "avx512f,avx512vnni")]
#[inline]
fn of_lines<'a, const LINES: usize>(
    rows: impl Iterator<Item = &'a [u8]>,
    query: Query<'_>,
    products: &mut Vec<i32>,
) {
    let (asked, _) = query.codes.as_chunks::<LINE>();
    let Ok(asked) = <&[[i8; LINE]; LINES]>::try_from(asked) else { return };
    let asked: [__m512i; LINES] = std::array::from_fn(|at| signed_line(&asked[at]));
    products.extend(rows.map(|row| {
        let (stored, _) = row.as_chunks::<LINE>();
        let Ok(stored) = <&[[u8; LINE]; LINES]>::try_from(stored) else { return i32::MIN };
        let (mut even, mut odd) = (_mm512_setzero_si512(), _mm512_setzero_si512());
        for at in (0..LINES).step_by(2) {
            even = _mm512_dpbusd_epi32(even, line(&stored[at]), asked[at]);
            odd = _mm512_dpbusd_epi32(odd, line(&stored[at + 1]), asked[at + 1]);
        }
        _mm512_reduce_add_epi32(_mm512_add_epi32(even, odd)) - query.offset
    }));
}

#[target_feature(enable = "avx512f,avx512vnni")]
fn of_any<'a>(rows: impl Iterator<Item = &'a [u8]>, query: Query<'_>, products: &mut Vec<i32>) {
    let (asked, _) = query.codes.as_chunks::<LINE>();
    products.extend(rows.map(|row| {
        if row.len() != query.codes.len() {
            return i32::MIN;
        }
        let (stored, _) = row.as_chunks::<LINE>();
        let mut sums = _mm512_setzero_si512();
        for (stored, asked) in stored.iter().zip(asked) {
            sums = _mm512_dpbusd_epi32(sums, line(stored), signed_line(asked));
        }
        _mm512_reduce_add_epi32(sums) - query.offset
    }));
}

#[target_feature(enable = "avx512f")]
#[inline]
fn line(bytes: &[u8; LINE]) -> __m512i {
    // SAFETY: there are 64 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[target_feature(enable = "avx512f")]
#[inline]
fn signed_line(bytes: &[i8; LINE]) -> __m512i {
    // SAFETY: there are 64 bytes; the load needs no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// Bytes are widened to 16 bits first: products of bytes would saturate there.
#[target_feature(enable = "avx2")]
pub fn avx2<'a>(rows: impl Iterator<Item = &'a [u8]>, query: Query<'_>, products: &mut Vec<i32>) {
    for row in rows {
        if row.len() != query.codes.len() {
            products.push(i32::MIN);
            continue;
        }
        let mut sums = _mm256_setzero_si256();
        for (stored, asked) in row.chunks_exact(16).zip(query.codes.chunks_exact(16)) {
            // SAFETY: both chunks are 16 bytes long; the loads need no alignment.
            let (stored, asked) = unsafe {
                (_mm_loadu_si128(stored.as_ptr().cast()), _mm_loadu_si128(asked.as_ptr().cast()))
            };
            let both = _mm256_madd_epi16(_mm256_cvtepu8_epi16(stored), _mm256_cvtepi8_epi16(asked));
            sums = _mm256_add_epi32(sums, both);
        }
        products.push(sum_of(sums) - query.offset);
    }
}

#[target_feature(enable = "avx2")]
fn sum_of(sums: __m256i) -> i32 {
    let four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b_00_00_11_10>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b_00_00_00_01>(two)))
}

/// The first factor is made unsigned, and what that adds is taken off.
#[target_feature(enable = "avx512f,avx512vnni")]
pub fn signed_avx512(a: &[i8], b: &[i8]) -> i32 {
    let sign = _mm512_set1_epi8(-128);
    let (mut sums, mut added) = (_mm512_setzero_si512(), _mm512_setzero_si512());
    for (a, b) in a.as_chunks::<LINE>().0.iter().zip(b.as_chunks::<LINE>().0) {
        let (a, b) = (signed_line(a), signed_line(b));
        sums = _mm512_dpbusd_epi32(sums, _mm512_xor_si512(a, sign), b);
        added = _mm512_dpbusd_epi32(added, sign, b);
    }
    _mm512_reduce_add_epi32(_mm512_sub_epi32(sums, added))
}

#[target_feature(enable = "avx2")]
pub fn signed_avx2(a: &[i8], b: &[i8]) -> i32 {
    let mut sums = _mm256_setzero_si256();
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        // SAFETY: both chunks are 16 bytes long; the loads need no alignment.
        let (a, b) =
            unsafe { (_mm_loadu_si128(a.as_ptr().cast()), _mm_loadu_si128(b.as_ptr().cast())) };
        let both = _mm256_madd_epi16(_mm256_cvtepi8_epi16(a), _mm256_cvtepi8_epi16(b));
        sums = _mm256_add_epi32(sums, both);
    }
    sum_of(sums)
}
