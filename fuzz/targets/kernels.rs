//! Products of all kernels that the processor has, which have unsafe code, beside a plain sum.
#![no_main]
#![allow(clippy::indexing_slicing)]

#[allow(dead_code)]
#[path = "../../src/index/kernels/mod.rs"]
mod kernels;

use kernels::{Kernel, LINE, Query, Rows, prefetch};
use libfuzzer_sys::arbitrary::{Result, Unstructured};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // Too few bytes say nothing.
    let _ = compare(Unstructured::new(data));
});

fn compare(mut data: Unstructured<'_>) -> Result<()> {
    let stride = LINE * data.int_in_range(1..=17)?;
    let length = if data.ratio(7, 8)? { stride } else { LINE * data.int_in_range(0..=17)? };
    let count = data.int_in_range(0..=70)?;
    let rows = (0..count).map(|_| data.int_in_range(0..=20)).collect::<Result<Vec<u32>>>()?;
    let (from, to) = (data.int_in_range(0..=20)?, data.int_in_range(0..=20)?);
    let query: Vec<i8> = bytes(&mut data, length).into_iter().map(|it| it as i8).collect();
    let count = data.int_in_range(0..=17)?;
    // As a file may have it: not on a line of the cache, and not whole rows.
    let (before, after) = (data.int_in_range(0..=3)?, data.int_in_range(0..=70)?);
    let memory = bytes(&mut data, before + count * stride + after);
    let codes = &memory[before..];

    let offset = 128 * query.iter().map(|&x| i32::from(x)).sum::<i32>();
    let product = |row: &[u8]| {
        let sum = |(&a, &b): (&u8, &i8)| (i32::from(a) - 128) * i32::from(b);
        if row.len() == length { row.iter().zip(&query).map(sum).sum() } else { i32::MIN }
    };
    let stored = Rows { codes, stride };
    let asked = Query { codes: &query, offset };
    prefetch(codes);
    let gathered: Vec<i32> = rows.iter().map(|&row| product(stored.row(row))).collect();
    let whole: Vec<i32> = codes.chunks_exact(stride).map(product).collect();
    let run: Vec<i32> = whole.iter().take(to).skip(from).copied().collect();
    let signed: Vec<i8> = codes.iter().take(length).map(|&it| (it ^ 0x80) as i8).collect();
    for kernel in Kernel::available() {
        let mut products = Vec::new();
        kernel.gather(stored, &rows, asked, &mut products);
        assert_eq!(products, gathered, "{kernel:?}");
        kernel.run(stored, from..to, asked, &mut products);
        assert_eq!(products, run, "{kernel:?}");
        let expected = signed.iter().zip(&query).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum();
        let expected: i32 = if signed.len() == length { expected } else { 0 };
        assert_eq!(kernel.product(&signed, &query), expected, "{kernel:?}");
    }
    Ok(())
}

/// So many bytes, as far as there are any.
fn bytes(data: &mut Unstructured<'_>, count: usize) -> Vec<u8> {
    let given = data.bytes(count.min(data.len())).unwrap_or_default();
    let mut bytes = given.to_vec();
    bytes.resize(count, 255);
    bytes
}
