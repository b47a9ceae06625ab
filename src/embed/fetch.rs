use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// Called while files are fetched, with the bytes that are here and the bytes that
/// there will be.
pub type Progress<'a> = &'a dyn Fn(u64, u64);

/// Why the model or the runtime could not be made ready.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A file does not hold what it should.
    #[error(
        "{path} is damaged: its SHA-256 is {found}, not {expected}; delete it to have it fetched again"
    )]
    WrongHash {
        /// The file.
        path: String,
        /// Its hash, in hex.
        found: String,
        /// The hash that it should have, in hex.
        expected: String,
    },
    /// A file of a model folder is missing.
    #[error("{path} is missing; a model folder holds model.onnx and tokenizer.json")]
    MissingFile {
        /// The file.
        path: String,
    },
    /// The manifest of a model folder cannot be used.
    #[error("{path} is not a model manifest ({cause}); see the README for its keys")]
    Manifest {
        /// The file.
        path: String,
        /// Why.
        cause: String,
    },
    /// The configured library of ONNX Runtime is not there.
    #[error(
        "ONNX Runtime is not at {path}; set ORT_DYLIB_PATH to its library, or unset it to have the pinned one fetched"
    )]
    MissingRuntime {
        /// The file.
        path: String,
    },
    /// Nothing is pinned for this operating system and processor.
    #[error(
        "no ONNX Runtime is pinned for {platform}; install version 1.24 or later and set ORT_DYLIB_PATH to its library"
    )]
    NoRuntime {
        /// Operating system and processor.
        platform: String,
    },
    /// No Python, or one without pip.
    #[error(
        "fetching needs Python 3 with pip ({cause}); install it, or set ORT_DYLIB_PATH and --model to files that are here already"
    )]
    NoPip {
        /// What running it said.
        cause: String,
    },
    /// pip did not bring the packages.
    #[error(
        "pip could not fetch the model and runtime ({cause}); check the network, or set ORT_DYLIB_PATH and --model to files that are here already"
    )]
    Fetch {
        /// pip's last words.
        cause: String,
    },
    /// A package does not hold what it should.
    #[error("the package {package} cannot be read: {cause}; run setup again")]
    Package {
        /// Its name and version.
        package: &'static str,
        /// Why.
        cause: String,
    },
    /// The cache folder does not work.
    #[error("cannot use the cache folder {path}: {source}; choose another one with --cache")]
    Cache {
        /// The folder, or a file in it.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file that was given cannot be read.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// No model has this name.
    #[error(
        "no model is called {name:?}; the nearest names are {nearest}, and with --model a folder will do as well"
    )]
    UnknownModel {
        /// The name.
        name: String,
        /// Names that are like it.
        nearest: String,
    },
    /// Nothing may be fetched now.
    #[error("{model} is not in the cache; run `copydesk setup` for it first")]
    NotFetched {
        /// The model.
        model: String,
    },
    /// A model that is known but cannot be used.
    #[error("{name} is not supported: {cause}; choose another model")]
    UnsupportedModel {
        /// Its name.
        name: String,
        /// Why.
        cause: &'static str,
    },
    /// The hub cannot be reached, or broke off.
    #[error(
        "cannot fetch {model} from {endpoint} ({cause}); check the network, set HF_ENDPOINT to a mirror of the hub, or give a folder with --model"
    )]
    Hub {
        /// The model's name on the hub.
        model: String,
        /// Address of the hub.
        endpoint: String,
        /// Why.
        cause: String,
    },
    /// The hub does not have a file, or not for everyone.
    #[error(
        "{endpoint} does not give out {file} of {model} (HTTP status {status}); check HF_ENDPOINT and HF_TOKEN, or give a folder with --model"
    )]
    NotOnHub {
        /// Address of the hub.
        endpoint: String,
        /// The file.
        file: String,
        /// The model's name on the hub.
        model: String,
        /// What the hub answered.
        status: u16,
    },
}

/// A package of the Python package index, pinned.
pub(super) struct Package {
    /// Name and version.
    pub requirement: &'static str,
    pub sha256: &'static str,
    pub bytes: u64,
    /// What the names of its wheels start with.
    pub wheel: &'static str,
    pub files: &'static [PackagedFile],
}

/// A file in a package, pinned.
pub(super) struct PackagedFile {
    pub inside: &'static str,
    pub name: &'static str,
    pub sha256: &'static str,
}

/// Downloads `packages` and puts their files into `folder`, checked.
pub(super) fn fetch(
    packages: &[&Package],
    folder: &Path,
    progress: Progress<'_>,
) -> Result<(), SetupError> {
    let stage = tempfile::Builder::new()
        .prefix(".fetch-")
        .tempdir_in(folder)
        .map_err(cache_error(folder))?;
    download(packages, stage.path(), progress)?;
    for package in packages {
        let wheel = wheel_of(package, stage.path())?;
        for file in package.files {
            let staged = stage.path().join(file.name);
            unpack(package, &wheel, file, &staged)?;
            verify(&staged, file.sha256)?;
            fs::rename(&staged, folder.join(file.name)).map_err(cache_error(folder))?;
        }
    }
    Ok(())
}

/// Runs pip, which checks the hashes of what it downloads and runs none of it.
fn download(packages: &[&Package], stage: &Path, progress: Progress<'_>) -> Result<(), SetupError> {
    let requirements = stage.join("requirements.txt");
    let pins: String = packages
        .iter()
        .map(|package| format!("{} --hash=sha256:{}\n", package.requirement, package.sha256))
        .collect();
    fs::write(&requirements, pins).map_err(cache_error(stage))?;
    let python = pip_python()?;
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "download", "--require-hashes", "--no-deps", "--only-binary", ":all:"])
        .args(["--platform", "manylinux_2_28_x86_64", "--python-version", "3.11"])
        .args(["--implementation", "cp", "--abi", "cp311", "--abi", "none"])
        .args(["--no-cache-dir", "--no-input", "--quiet", "--retries", "2"])
        .arg("--dest")
        .arg(stage)
        .arg("--requirement")
        .arg(&requirements)
        .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
        .env("TMPDIR", stage)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let total = packages.iter().map(|package| package.bytes).sum();
    let child = pip.spawn().map_err(|error| SetupError::NoPip { cause: error.to_string() })?;
    let (success, said) =
        watch(child, || progress(bytes_in(stage).min(total), total)).map_err(cache_error(stage))?;
    if success {
        progress(total, total);
        return Ok(());
    }
    Err(SetupError::Fetch { cause: last_words(&said) })
}

/// The Python to run, once it is sure that it has pip.
fn pip_python() -> Result<&'static str, SetupError> {
    let no_pip = |cause: String| SetupError::NoPip { cause };
    let python = "python3";
    let output = Command::new(python)
        .args(["-m", "pip", "--version"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| no_pip(format!("{python}: {error}")))?;
    if output.status.success() {
        Ok(python)
    } else {
        Err(no_pip(last_words(&String::from_utf8_lossy(&output.stderr))))
    }
}

/// Waits for `child` and calls `tick` now and then. Returns whether it succeeded and
/// what it wrote to standard error.
fn watch(mut child: Child, tick: impl Fn()) -> io::Result<(bool, String)> {
    let stderr = child.stderr.take();
    let reader = thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(mut stderr) = stderr {
            let _ = stderr.read_to_end(&mut said);
        }
        String::from_utf8_lossy(&said).into_owned()
    });
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        tick();
        thread::sleep(Duration::from_millis(100));
    };
    Ok((status.success(), reader.join().unwrap_or_default()))
}

/// The line of pip's errors that says most: a mismatch of hashes before all else.
fn last_words(said: &str) -> String {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let telling = lines()
        .find(|line| line.contains("HASHES"))
        .or_else(|| lines().rfind(|line| line.starts_with("ERROR")))
        .or_else(|| lines().next_back());
    telling.unwrap_or("it said nothing").trim_start_matches("ERROR: ").chars().take(300).collect()
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| Some((entry.path(), entry.metadata().ok()?)))
        .map(|(path, metadata)| if metadata.is_dir() { bytes_in(&path) } else { metadata.len() })
        .sum()
}

fn wheel_of(package: &Package, stage: &Path) -> Result<PathBuf, SetupError> {
    let entries = fs::read_dir(stage).map_err(cache_error(stage))?;
    entries
        .flatten()
        .find(|entry| entry.file_name().to_string_lossy().starts_with(package.wheel))
        .map(|entry| entry.path())
        .ok_or_else(|| package_error(package, "pip did not bring it"))
}

fn unpack(
    package: &Package,
    wheel: &Path,
    file: &PackagedFile,
    to: &Path,
) -> Result<(), SetupError> {
    let archive = File::open(wheel).map_err(cache_error(wheel))?;
    let mut archive =
        zip::ZipArchive::new(archive).map_err(|error| package_error(package, error))?;
    let mut inside = archive.by_name(file.inside).map_err(|error| package_error(package, error))?;
    let mut out = File::create(to).map_err(cache_error(to))?;
    io::copy(&mut inside, &mut out).map_err(cache_error(to))?;
    out.sync_all().map_err(cache_error(to))
}

/// Checks that the file at `path` has the SHA-256 `expected`.
pub(super) fn verify(path: &Path, expected: &str) -> Result<(), SetupError> {
    let found = sha256_of(path)?;
    if found == expected {
        return Ok(());
    }
    let (path, expected) = (path.display().to_string(), expected.to_owned());
    Err(SetupError::WrongHash { path, found, expected })
}

/// SHA-256 of a file, in hex.
pub(super) fn sha256_of(path: &Path) -> Result<String, SetupError> {
    let unreadable = |source| SetupError::Unreadable { path: path.display().to_string(), source };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        digest.update(buffer.get(..read).unwrap_or_default());
    }
    Ok(hex(&digest.finalize()))
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn cache_error(path: &Path) -> impl Fn(io::Error) -> SetupError {
    let path = path.display().to_string();
    move |source| SetupError::Cache { path: path.clone(), source }
}

fn package_error(package: &Package, cause: impl ToString) -> SetupError {
    SetupError::Package { package: package.requirement, cause: cause.to_string() }
}
