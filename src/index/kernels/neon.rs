use std::arch::aarch64::{
    vaddvq_s32, vdupq_n_s32, vdupq_n_u8, veorq_u8, vget_high_s8, vget_low_s8, vld1q_s8, vld1q_u8,
    vmull_s8, vpadalq_s16, vreinterpretq_s8_u8,
};

use super::Query;

/// The stored bytes are made signed, so there is no offset to take off.
#[target_feature(enable = "neon")]
pub fn neon<'a>(rows: impl Iterator<Item = &'a [u8]>, query: Query<'_>, products: &mut Vec<i32>) {
    let sign = vdupq_n_u8(0x80);
    for row in rows {
        if row.len() != query.codes.len() {
            products.push(i32::MIN);
            continue;
        }
        let mut sums = vdupq_n_s32(0);
        for (stored, asked) in row.chunks_exact(16).zip(query.codes.chunks_exact(16)) {
            // SAFETY: both chunks are 16 bytes long; the loads need no alignment.
            let (stored, asked) = unsafe { (vld1q_u8(stored.as_ptr()), vld1q_s8(asked.as_ptr())) };
            let stored = vreinterpretq_s8_u8(veorq_u8(stored, sign));
            sums = vpadalq_s16(sums, vmull_s8(vget_low_s8(stored), vget_low_s8(asked)));
            sums = vpadalq_s16(sums, vmull_s8(vget_high_s8(stored), vget_high_s8(asked)));
        }
        products.push(vaddvq_s32(sums));
    }
}

#[target_feature(enable = "neon")]
pub fn signed(a: &[i8], b: &[i8]) -> i32 {
    let mut sums = vdupq_n_s32(0);
    for (a, b) in a.chunks_exact(16).zip(b.chunks_exact(16)) {
        // SAFETY: both chunks are 16 bytes long; the loads need no alignment.
        let (a, b) = unsafe { (vld1q_s8(a.as_ptr()), vld1q_s8(b.as_ptr())) };
        sums = vpadalq_s16(sums, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
        sums = vpadalq_s16(sums, vmull_s8(vget_high_s8(a), vget_high_s8(b)));
    }
    vaddvq_s32(sums)
}
