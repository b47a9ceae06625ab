//! How fast texts become vectors, beside the fastembed crate on the same machine in the
//! same run. `cargo bench --bench embedding` prints a table for the paragraphs of the
//! seeds and for 2,000 paragraphs of Reuters-21578, if these are there.
//!
//! Each line is measured in a process of its own, so that the peak of its memory is its
//! own, too.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use copydesk::embed::{Embedder, Precision, Purpose, Setup, SetupOptions, measured_peak};
use copydesk::text::normalize;
use serde::{Deserialize, Serialize};
use tokenizers::Tokenizer;

/// Multiplications and additions with the weights of the default model, for each token:
/// six layers of four matrices of 384 x 384 and two of 384 x 1,536.
const OPERATIONS_PER_TOKEN: f64 = 2.0 * 6.0 * (4.0 * 384.0 * 384.0 + 2.0 * 384.0 * 1_536.0);

/// Paragraphs of Reuters-21578.
const REUTERS: usize = 2_000;

/// Paragraphs whose vectors in both precisions are compared.
const COMPARED: usize = 5_000;

/// Times that a fast variant is measured; the median counts.
const ROUNDS: usize = 3;

/// Not a way to embed: how much faster all cores are than one.
const SCALING: &str = "scaling";

/// Ways to embed: name, and threads where that can be chosen.
const VARIANTS: [(&str, &str); 6] = [
    ("fastembed", "fastembed crate, its default (256 in a batch, all threads)"),
    ("fastembed-sorted", "fastembed crate, sorted by length, 32 in a batch"),
    ("f32-1", "copydesk f32, one worker"),
    ("f32-all", "copydesk f32, a worker a core"),
    ("int8-1", "copydesk int8, one worker"),
    ("int8-all", "copydesk int8, a worker a core"),
];

/// What a process of its own measured.
#[derive(Serialize, Deserialize)]
struct Measured {
    texts_per_second: f64,
    peak_bytes: u64,
}

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.as_slice() {
        [] => tables(),
        [variant, texts] => {
            let texts = std::fs::read_to_string(texts).unwrap();
            let texts: Vec<Arc<str>> = texts.lines().map(Arc::from).collect();
            let measured = measure(variant, &texts);
            println!("{}", serde_json::to_string(&measured).unwrap());
        }
        _ => panic!("usage: cargo bench --bench embedding"),
    }
}

fn tables() {
    let setup = Setup::ensure(&SetupOptions::default(), &|_, _| {}).unwrap();
    let cores = workers() as f64;
    let peak = |precision| measured_peak(&setup, precision).unwrap();
    let (f32_peak, int8_peak) = (peak(Precision::F32), peak(Precision::Int8));
    println!(
        "{cores} cores; a product of matrices reaches {:.0} GFLOP/s in f32 and {:.0} GOP/s in int8, one thread\n",
        f32_peak / 1e9,
        int8_peak / 1e9
    );
    for (name, texts) in [("the seeds", seeds()), ("Reuters-21578", reuters(REUTERS))] {
        let Some(texts) = texts else {
            println!("{name}: not there");
            continue;
        };
        let (tokens, took) = tokenise(&setup, &texts);
        let per_text = tokens as f64 / texts.len() as f64;
        println!("{} paragraphs of {name}, {per_text:.0} tokens each on average", texts.len());
        let mut table = Table::new();
        table.load_preset(NOTHING);
        table.set_header(["", "texts/s", "tokens/s", "of peak", "peak MB", "x default"]);
        let list = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(list.path(), texts.join("\n")).unwrap();
        let mut default = None;
        for (variant, says) in VARIANTS {
            let measured = in_own_process(variant, list.path());
            let rate = measured.texts_per_second;
            let threads = if variant.ends_with("-1") { 1.0 } else { cores };
            let peak = threads * if variant.starts_with("int8") { int8_peak } else { f32_peak };
            table.add_row([
                says.to_owned(),
                format!("{rate:.0}"),
                format!("{:.0}", rate * per_text),
                format!("{:.0}%", 100.0 * rate * per_text * OPERATIONS_PER_TOKEN / peak),
                format!("{:.0}", measured.peak_bytes as f64 / 1e6),
                format!("{:.1}", rate / *default.get_or_insert(rate)),
            ]);
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        println!("{table}");
        let scaling = in_own_process(SCALING, list.path()).texts_per_second;
        println!("tokenisation: {:.0} us a paragraph", took * 1e6 / texts.len() as f64);
        println!("int8, from one worker to {cores}, in turns: {scaling:.2} times the rate\n");
    }
    compare_precisions(&setup);
}

/// How far the vectors of one precision are from those of the other.
fn compare_precisions(setup: &Setup) {
    let Some(texts) = reuters(COMPARED) else { return };
    let texts: Vec<Arc<str>> = texts.into_iter().map(Arc::from).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let vectors = |precision| {
        let setup = Setup { precision: Some(precision), ..setup.clone() };
        let embedder = Embedder::start(&setup, workers()).unwrap();
        runtime.block_on(embedder.embed(Purpose::ALONE, texts.clone())).unwrap()
    };
    let (int8, f32) = (vectors(Precision::Int8), vectors(Precision::F32));
    let mut cosines: Vec<f32> = int8.iter().zip(&f32).map(|(a, b)| a.cosine(b)).collect();
    cosines.sort_by(f32::total_cmp);
    println!(
        "cosine of int8 to f32, {} paragraphs: least {:.4}, first percentile {:.4}, median {:.4}",
        cosines.len(),
        cosines[0],
        cosines[cosines.len() / 100],
        cosines[cosines.len() / 2]
    );
}

fn in_own_process(variant: &str, texts: &Path) -> Measured {
    let output =
        Command::new(std::env::current_exe().unwrap()).arg(variant).arg(texts).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{variant}: {said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn measure(variant: &str, texts: &[Arc<str>]) -> Measured {
    let setup = Setup::ensure(&SetupOptions::default(), &|_, _| {}).unwrap();
    let texts_per_second = match variant {
        "fastembed" => fastembed(&setup, texts, None),
        "fastembed-sorted" => {
            let mut texts = texts.to_vec();
            texts.sort_by_key(|text| text.len());
            fastembed(&setup, &texts, Some(32))
        }
        SCALING => scaling(&setup, texts),
        ours => {
            let (precision, threads) = ours.split_once('-').unwrap();
            let precision = if precision == "int8" { Precision::Int8 } else { Precision::F32 };
            let threads = if threads == "1" { 1 } else { workers() };
            copydesk(Setup { precision: Some(precision), ..setup }, texts, threads)
        }
    };
    Measured { texts_per_second, peak_bytes: peak_bytes() }
}

/// The crate as anybody uses it, with the same model file.
fn fastembed(setup: &Setup, texts: &[Arc<str>], batch: Option<usize>) -> f64 {
    use fastembed::{
        InitOptionsUserDefined, Pooling, TextEmbedding, TokenizerFiles, UserDefinedEmbeddingModel,
    };
    let environment = ort::init_from(&setup.runtime).unwrap().build().unwrap();
    let read = |name: &str| std::fs::read(setup.model.folder.join(name)).unwrap();
    let files = TokenizerFiles {
        tokenizer_file: read("tokenizer.json"),
        config_file: read("config.json"),
        special_tokens_map_file: b"{}".to_vec(),
        tokenizer_config_file: read("tokenizer_config.json"),
    };
    let model =
        UserDefinedEmbeddingModel::new(read("model.onnx"), files).with_pooling(Pooling::Mean);
    let options = InitOptionsUserDefined::new().with_environment(environment).with_max_length(256);
    let mut model = TextEmbedding::try_new_from_user_defined(model, options).unwrap();
    let texts: Vec<&str> = texts.iter().map(AsRef::as_ref).collect();
    model.embed(&texts[..8.min(texts.len())], Some(1)).unwrap();
    let begun = Instant::now();
    let vectors = model.embed(&texts, batch).unwrap();
    assert_eq!(vectors.len(), texts.len());
    texts.len() as f64 / begun.elapsed().as_secs_f64()
}

fn copydesk(setup: Setup, texts: &[Arc<str>], threads: usize) -> f64 {
    let embedder = Embedder::start(&setup, threads).unwrap();
    rate(&embedder, texts); // warms up
    median((0..ROUNDS).map(|_| rate(&embedder, texts)).collect())
}

/// How many times faster all workers are than one. They take turns, so that a machine
/// that is slower for a while is so for both.
fn scaling(setup: &Setup, texts: &[Arc<str>]) -> f64 {
    let one = Embedder::start(setup, 1).unwrap();
    let all = Embedder::start(setup, workers()).unwrap();
    median((0..2 * ROUNDS + 1).map(|_| rate(&all, texts) / rate(&one, texts)).collect())
}

fn rate(embedder: &Embedder, texts: &[Arc<str>]) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let begun = Instant::now();
    let vectors = runtime.block_on(embedder.embed(Purpose::ALONE, texts.to_vec())).unwrap();
    assert_eq!(vectors.len(), texts.len());
    texts.len() as f64 / begun.elapsed().as_secs_f64()
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Most memory that this process ever had in use.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok());
    kilobytes.unwrap_or(0_u64) * 1_024
}

/// The tokens of all texts, and the seconds that it took to find them.
fn tokenise(setup: &Setup, texts: &[String]) -> (usize, f64) {
    let mut tokenizer = Tokenizer::from_file(setup.model.folder.join("tokenizer.json")).unwrap();
    tokenizer.with_padding(None);
    tokenizer.with_truncation(None).unwrap();
    let begun = Instant::now();
    let tokens =
        texts.iter().map(|text| tokenizer.encode(text.as_str(), true).unwrap().len()).sum();
    (tokens, begun.elapsed().as_secs_f64())
}

fn seeds() -> Option<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let texts = files.iter().map(|file| std::fs::read_to_string(file).unwrap());
    let lines: Vec<String> = texts.flat_map(|text| paragraphs(text.lines())).collect();
    // Several times over, for a time that can be measured.
    Some(lines.iter().cycle().take(lines.len() * 8).cloned().collect())
}

fn reuters(count: usize) -> Option<Vec<String>> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/reuters21578/docs.jsonl.gz");
    let file = std::fs::File::open(path).ok()?;
    let lines = BufReader::new(flate2::read::GzDecoder::new(file)).lines();
    let documents = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap());
    let texts = documents.flat_map(|document: serde_json::Value| {
        let all = document["paragraphs"].as_array().cloned().unwrap_or_default();
        paragraphs(all.iter().filter_map(|text| text.as_str()))
    });
    Some(texts.take(count).collect())
}

/// Normalised, on one line each, without scraps.
fn paragraphs<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let texts = lines.map(|line| normalize(line).replace('\n', " "));
    texts.filter(|text| text.len() >= 20).collect()
}
