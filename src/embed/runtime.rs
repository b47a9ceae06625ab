use std::path::Path;
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;

use super::ModelError;

/// ONNX Runtime allows one environment in a process; it lives as long as that.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// Loads ONNX Runtime from `library`, once; later calls return the first one's.
pub(super) fn environment(library: &Path) -> Result<Environment, ModelError> {
    let mut environment = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(environment) = environment.as_ref() {
        return Ok(environment.clone());
    }
    let failed = |cause: String| ModelError::Runtime { path: library.display().to_string(), cause };
    let library = library.canonicalize().map_err(|error| failed(error.to_string()))?;
    let loaded = ort::init_from(&library)
        .map_err(|error| failed(error.to_string()))?
        .with_name("copydesk")
        .with_telemetry(false)
        .build()
        .map_err(|error| failed(error.to_string()))?;
    Ok(environment.insert(loaded).clone())
}
