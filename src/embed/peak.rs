use std::time::{Duration, Instant};

use ort::value::TensorRef;

use super::session::{SessionError, builder};
use super::{ModelError, Precision, Setup, onnx, runtime};

/// Rows, columns and depth of the product that is timed: large enough that nothing but
/// the multiplication counts, small enough for the cache.
const SIZE: usize = 1_024;

/// How long it is repeated.
const PATIENCE: Duration = Duration::from_millis(1_500);

/// Multiplications and additions a second that one thread reaches in a product of
/// square matrices, run as the models are: the best of many. What a model reaches can
/// be seen beside it.
///
/// # Errors
///
/// If the runtime cannot be loaded or fails.
pub fn measured_peak(setup: &Setup, precision: Precision) -> Result<f64, ModelError> {
    let environment = runtime::environment(&setup.runtime)?;
    let measured = || -> Result<Duration, SessionError> {
        let numbers: Vec<f32> = (0..SIZE * SIZE).map(|i| (i % 251) as f32 - 125.0).collect();
        let model = onnx::product(&numbers, SIZE, SIZE, precision)?;
        let mut session = builder(&environment)?.commit_from_memory(&model)?;
        let mut best = Duration::MAX;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let values = TensorRef::from_array_view(([SIZE, SIZE], numbers.as_slice()))?;
            let started = Instant::now();
            session.run(ort::inputs![onnx::VALUE => values])?;
            best = best.min(started.elapsed());
        }
        Ok(best)
    };
    let best = measured().map_err(|error| ModelError::Run(error.to_string()))?;
    Ok(2.0 * (SIZE as f64).powi(3) / best.as_secs_f64())
}
