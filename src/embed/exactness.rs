use ort::environment::Environment;
use ort::session::Session;
use ort::value::TensorRef;

use super::session::{SessionError, builder};
use super::{Precision, onnx};

/// Numbers that each product sums up: those of the default model.
const DEPTHS: [usize; 2] = [384, 1_536];

/// Columns of the weights: several blocks of any kernel, and a rest.
const COLUMNS: usize = 67;

/// Rows of the values: kernels differ for one row, a few, and many.
const ROWS: [usize; 4] = [1, 3, 16, 67];

/// Whether integer products are exact on this processor, run as the models are. Some
/// instruction sets add two products of 8 bits in 16 bits, which saturate: the
/// extremes tried here would show it.
///
/// # Errors
///
/// If the runtime cannot run the product.
pub(super) fn products_are_exact(environment: &Environment) -> Result<bool, SessionError> {
    for depth in DEPTHS {
        let weights = extremes(depth * COLUMNS, -127, 127);
        let numbers: Vec<f32> = weights.iter().map(|&weight| weight as f32).collect();
        let model = onnx::product(&numbers, depth, COLUMNS, Precision::Int8)?;
        let mut session = builder(environment)?.commit_from_memory(&model)?;
        for rows in ROWS {
            let values = extremes(rows * depth, 0, 255);
            if run(&mut session, &values, depth)? != exact(&values, &weights, depth) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Numbers of which half are one of the two ends, in long runs, and the others
/// anything between: a row and a column of the largest numbers is among them.
fn extremes(count: usize, low: i32, high: i32) -> Vec<i32> {
    let mut state = 1_u32;
    let mut next = || {
        // Marsaglia, "Xorshift RNGs", 2003, section 3.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let mut numbers = Vec::with_capacity(count);
    while numbers.len() < count {
        let number = match next() % 4 {
            0 => low,
            1 => high,
            _ => low + (next() % (high - low + 1).unsigned_abs()) as i32,
        };
        let run = if number == low || number == high { 1 + next() % 64 } else { 1 };
        numbers.extend((0..run).map(|_| number));
    }
    numbers.truncate(count);
    numbers
}

/// The product in exact arithmetic, rounded once.
fn exact(values: &[i32], weights: &[i32], depth: usize) -> Vec<f32> {
    let mut product = Vec::new();
    for row in values.chunks(depth) {
        let mut sums = [0_i32; COLUMNS];
        for (value, weights) in row.iter().zip(weights.chunks(COLUMNS)) {
            sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
        }
        product.extend(sums.map(|sum| sum as f32));
    }
    product
}

fn run(session: &mut Session, values: &[i32], depth: usize) -> Result<Vec<f32>, SessionError> {
    let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
    let shape = [values.len() / depth, depth];
    let values = TensorRef::from_array_view((shape, values.as_slice()))?;
    let outputs = session.run(ort::inputs![onnx::VALUE => values])?;
    let product = outputs.get(onnx::PRODUCT).map(|it| it.try_extract_tensor::<f32>());
    Ok(product.transpose()?.map(|(_, numbers)| numbers.to_vec()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, DEPTHS, ROWS, exact, extremes};

    /// What `vpmaddubsw` does: neighbouring products are added in 16 bits and saturate.
    fn saturated(values: &[i32], weights: &[i32], depth: usize) -> Vec<f32> {
        let mut product = Vec::new();
        for row in values.chunks(depth) {
            for column in 0..COLUMNS {
                let pairs = (0..depth).step_by(2).map(|i| {
                    let sum = row[i] * weights[i * COLUMNS + column]
                        + row[i + 1] * weights[(i + 1) * COLUMNS + column];
                    sum.clamp(i32::from(i16::MIN), i32::from(i16::MAX))
                });
                product.push(pairs.sum::<i32>() as f32);
            }
        }
        product
    }

    #[test]
    fn a_processor_that_saturates_would_be_noticed_at_every_size() {
        for depth in DEPTHS {
            let weights = extremes(depth * COLUMNS, -127, 127);
            for rows in ROWS {
                let values = extremes(rows * depth, 0, 255);
                let differing = exact(&values, &weights, depth)
                    .iter()
                    .zip(saturated(&values, &weights, depth))
                    .filter(|(exact, saturated)| **exact != *saturated)
                    .count();
                assert!(differing > rows, "{depth} {rows}: {differing}");
            }
        }
    }
}
