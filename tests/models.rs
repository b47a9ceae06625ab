//! Other models than the default one: folders, manifests, precision, and what is wrong
//! with them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::{Desk, LEAD, OTHER, SECOND, THIRD, program};
use copydesk::corpus::Corpus;
use copydesk::embed::{
    Embedder, ModelInfo, Precision, Purpose, Role, Setup, SetupOptions, model_of,
};
use tempfile::TempDir;

fn default_setup() -> Setup {
    Setup::ensure(&SetupOptions::default(), &|_, _| {}).unwrap()
}

/// A folder with the default model's files, and a manifest.
fn folder(manifest: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let from = default_setup().model.folder;
    for name in ["model.onnx", "tokenizer.json", "config.json", "tokenizer_config.json"] {
        fs::copy(from.join(name), folder.path().join(name)).unwrap();
    }
    fs::write(folder.path().join("copydesk.toml"), manifest).unwrap();
    folder
}

fn setup(folder: &Path, precision: Option<Precision>) -> Setup {
    let options = SetupOptions { model: Some(folder.into()), precision, ..Default::default() };
    Setup::ensure(&options, &|_, _| {}).unwrap()
}

/// What the program says about a model that it cannot use: one line.
fn complaint(arguments: &[&str]) -> String {
    let data = tempfile::tempdir().unwrap();
    let corpus = data.path().join("corpus");
    let output = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(&corpus)
        .args(arguments)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    assert!(!corpus.exists(), "{arguments:?}: a corpus was made");
    let said = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = said.lines().filter(|line| line.starts_with("copydesk: ")).collect();
    assert_eq!(lines.len(), 1, "{said}");
    assert!(said.lines().count() <= 2, "{said}");
    lines[0].to_owned()
}

fn complaint_of(folder: &Path) -> String {
    complaint(&["--model", folder.to_str().unwrap()])
}

#[test]
fn what_is_wrong_with_a_model_folder_is_said_in_one_sentence_before_anything_is_stored() {
    type Damage = fn(&Path);
    let cases: [(&str, Damage); 13] = [
        ("name is not 1 to 64 letters", |folder| {
            fs::write(folder.join("copydesk.toml"), "name = \"a b\"").unwrap();
        }),
        ("it cannot take 256 tokens, up to number 40000", |folder| {
            replace(&folder.join("tokenizer.json"), b"\"fishermen\":16532", b"\"fishermen\":40000");
        }),
        ("model.onnx is missing", |folder| fs::remove_file(folder.join("model.onnx")).unwrap()),
        ("tokenizer.json is missing", |folder| {
            fs::remove_file(folder.join("tokenizer.json")).unwrap();
        }),
        ("not an ONNX file, or damaged", |folder| {
            let bytes = fs::read(folder.join("model.onnx")).unwrap();
            fs::write(folder.join("model.onnx"), &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("not an ONNX file, or damaged", |folder| {
            fs::write(folder.join("model.onnx"), "no model").unwrap();
        }),
        ("tokenizer.json: ", |folder| {
            fs::write(folder.join("tokenizer.json"), "{\"version\": 1").unwrap();
        }),
        ("its inputs are input_ids, attention_mask, token_typo_ids", |folder| {
            replace(&folder.join("model.onnx"), b"token_type_ids", b"token_typo_ids");
        }),
        ("its vectors have 384 components, its manifest says 512", |folder| {
            fs::write(folder.join("copydesk.toml"), "dimension = 512").unwrap();
        }),
        ("copydesk.toml is not a model manifest (unknown field `poling`", |folder| {
            fs::write(folder.join("copydesk.toml"), "poling = \"mean\"").unwrap();
        }),
        ("unknown variant `max`", |folder| {
            fs::write(folder.join("copydesk.toml"), "pooling = \"max\"").unwrap();
        }),
        ("max_tokens is 2, give 8 to 2048", |folder| {
            fs::write(folder.join("copydesk.toml"), "max_tokens = 2").unwrap();
        }),
        ("the weights \"inner.embeddings.LayerNorm.weight\" are not finite", |folder| {
            let path = folder.join("model.onnx");
            let mut bytes = fs::read(&path).unwrap();
            let at = data_of(&bytes, "inner.embeddings.LayerNorm.weight", b"\x80\x0c");
            bytes[at..at + 4].copy_from_slice(&f32::NAN.to_le_bytes());
            fs::write(path, bytes).unwrap();
        }),
    ];
    for (sentence, damage) in cases {
        let folder = folder("");
        damage(folder.path());
        let said = complaint_of(folder.path());
        assert!(said.contains(sentence), "{sentence}: {said}");
    }
}

fn replace(path: &PathBuf, from: &[u8], to: &[u8]) {
    let mut bytes = fs::read(path).unwrap();
    while let Some(at) = bytes.windows(from.len()).position(|window| window == from) {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_name_that_is_none_is_answered_with_the_nearest_ones() {
    let said = complaint(&["--model", "BGESmalENV15"]);
    assert!(said.contains("BGESmallENV15"), "{said}");
}

/// Where the data of a constant starts in a model file: its name, the tag of its data,
/// and their length come before.
fn data_of(bytes: &[u8], name: &str, length: &[u8]) -> usize {
    let head = [name.as_bytes(), b"\x4a", length].concat();
    bytes.windows(head.len()).position(|window| window == head).unwrap() + head.len()
}

#[tokio::test]
async fn a_passage_without_a_direction_is_refused_and_nothing_of_it_is_stored() {
    let folder = folder("");
    let tokenizer = tokenizers::Tokenizer::from_file(folder.path().join("tokenizer.json")).unwrap();
    let token = tokenizer.token_to_id("fishermen").unwrap() as usize;
    // The vector of one word is made so long that it is finite only before it is scaled.
    let path = folder.path().join("model.onnx");
    let mut bytes = fs::read(&path).unwrap();
    let name = "inner.embeddings.word_embeddings.weight_scale";
    let at = data_of(&bytes, name, b"\xe8\xb9\x07") + 4 * token;
    bytes[at..at + 4].copy_from_slice(&f32::MAX.to_le_bytes());
    fs::write(path, bytes).unwrap();
    let data = tempfile::tempdir().unwrap();
    let mut desk = Desk::with(data.path(), &["--model", folder.path().to_str().unwrap()]).await;
    let request = common::ingest(common::document("bad", &[LEAD, OTHER]));
    let status = desk.ingest(request).await.unwrap_err();
    assert_eq!(status.code(), tonic::Code::InvalidArgument);
    assert!(status.message().contains("Fishermen in the northern harbour"), "{status:?}");
    desk.put("good", &[LEAD]).await;
    let corpus = desk.info().await.corpus.unwrap();
    assert_eq!((corpus.document_count, corpus.distinct_passage_count), (1, 1));
    assert_eq!(desk.copies_of(LEAD).await, ["good#0"]);
}

#[tokio::test]
async fn a_corpus_of_the_first_format_is_taken_over() {
    let data = tempfile::tempdir().unwrap();
    let mut desk = Desk::with(data.path(), &["--precision", "f32"]).await;
    desk.put("a", &[LEAD]).await;
    desk.terminate();
    assert!(desk.wait().await.success());
    let file = rusqlite::Connection::open(data.path().join("corpus.sqlite")).unwrap();
    file.execute_batch(
        "DROP TABLE editor_stories; DROP INDEX documents_by_story; DROP TABLE stories;
         ALTER TABLE documents DROP COLUMN story;
         DROP TABLE editor_verdicts; DROP TABLE fingerprints;
         ALTER TABLE models DROP COLUMN retired; UPDATE models SET model_id = 'all-MiniLM-L6-v2';
         DELETE FROM counters WHERE name IN ('model', 'corpus', 'story_change');
         PRAGMA user_version = 1; PRAGMA auto_vacuum = NONE; VACUUM",
    )
    .unwrap();
    drop(file);
    // In its own precision, although another one is the default.
    let mut desk = Desk::over(data.path()).await;
    assert_eq!(desk.info().await.model.unwrap().model_id, "all-MiniLM-L6-v2/f32");
    assert_eq!(desk.copies_of(LEAD).await, ["a#0"]);
}

async fn vector(setup: &Setup, role: Role, text: &str) -> copydesk::embed::Windows {
    let embedder = Embedder::start(setup, 1).unwrap();
    let purpose = Purpose { role, ..Purpose::ALONE };
    embedder.embed(purpose, vec![text.into()]).await.unwrap().remove(0)
}

#[tokio::test]
async fn a_manifest_says_how_its_model_is_used() {
    let plain = default_setup();
    let cls = folder("pooling = \"cls\"\nname = \"mine\"\nlanguages = [\"en\", \"de\"]");
    let cls = setup(cls.path(), None);
    let prefixed = folder("query_prefix = \"query: \"\nmax_tokens = 16\nprecision = \"int8\"");
    let prefixed = setup(prefixed.path(), None);

    let info = model_of(&cls).unwrap();
    let ModelInfo { id, precision, .. } = info.as_ref();
    assert!(id.starts_with("mine-") && id.ends_with("/f32"), "{id}");
    assert_eq!(*precision, Precision::F32);
    assert!(info.speaks("de") && !info.speaks("fr"));
    let other = vector(&plain, Role::Passage, LEAD).await;
    assert!(vector(&cls, Role::Passage, LEAD).await.cosine(&other) < 0.99);

    // A prefix changes the vectors of questions only, and takes its place in the window.
    let info = model_of(&prefixed).unwrap();
    assert_eq!((info.precision, info.max_tokens, info.is_symmetric), (Precision::Int8, 16, false));
    let as_passage = vector(&prefixed, Role::Passage, "Rates rise.").await;
    assert_eq!(as_passage, vector(&plain, Role::Passage, "Rates rise.").await);
    let as_query = vector(&prefixed, Role::Query, "Rates rise.").await;
    assert_eq!(as_query, vector(&plain, Role::Passage, "query: Rates rise.").await);
    assert!(vector(&prefixed, Role::Passage, LEAD).await.vectors().len() > 1);
}

#[tokio::test]
async fn weights_in_single_precision_are_quantised_on_request() {
    let setup_f32 = Setup { precision: Some(Precision::F32), ..default_setup() };
    let as_f32 = vector(&setup_f32, Role::Passage, LEAD).await;
    // Rewritten for f32, the default model is a model with plain weights.
    let weights = &setup_f32.model.weights_sha256[..16];
    let unpacked = fs::read_dir(&setup_f32.cache).unwrap().map(|file| file.unwrap().path());
    let unpacked: Vec<PathBuf> = unpacked
        .filter(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            name.starts_with(weights) && name.contains("-f32-") && name.ends_with(".onnx")
        })
        .collect();
    let folder = folder("");
    fs::copy(&unpacked[0], folder.path().join("model.onnx")).unwrap();
    let plain = vector(&setup(folder.path(), None), Role::Passage, LEAD).await;
    assert!(plain.cosine(&as_f32) > 0.9999, "{}", plain.cosine(&as_f32));
    let quantised = setup(folder.path(), Some(Precision::Int8));
    let id = model_of(&quantised).unwrap().id.clone();
    assert!(id.ends_with("/int8"), "{id}");
    let quantised = vector(&quantised, Role::Passage, LEAD).await;
    let cosine = quantised.cosine(&as_f32);
    assert!((0.97..0.9999).contains(&cosine), "{cosine}");
}

#[tokio::test]
async fn the_same_text_gives_the_same_bits_on_any_thread_in_any_company() {
    let texts = [LEAD, SECOND, THIRD, OTHER, "Rates rise.", LEAD];
    let texts: Vec<std::sync::Arc<str>> = texts.iter().map(|&text| text.into()).collect();
    let alone = Embedder::start(&default_setup(), 1).unwrap();
    let several = Embedder::start(&default_setup(), 3).unwrap();
    let mut expected = Vec::new();
    for text in &texts {
        expected.extend(alone.embed(Purpose::ALONE, vec![text.clone()]).await.unwrap());
    }
    assert_eq!(expected[0], expected[5]);
    for _ in 0..10 {
        assert_eq!(several.embed(Purpose::ALONE, texts.clone()).await.unwrap(), expected);
    }
}

#[tokio::test]
async fn a_corpus_changes_its_model_in_one_step_while_it_answers() {
    let data = tempfile::tempdir().unwrap();
    let mut desk = Desk::with(data.path(), &["--precision", "f32"]).await;
    let paragraphs = [LEAD, SECOND, THIRD, OTHER];
    for index in 0..60 {
        let text = format!("Report {index} from town {}: {OTHER}", index * 7_919);
        desk.put(&format!("r{index}"), &[&text]).await;
    }
    desk.put("a", &paragraphs).await;
    assert!(desk.info().await.model.unwrap().model_id.ends_with("/f32"));

    // Breaks off, and goes on after a restart.
    let reembed = |address: &str, more: &[&str]| {
        let output = program()
            .args(["--server", address, "reembed", "--precision", "int8"])
            .args(more)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()
    };
    let said = reembed(&desk.address, &["--no-wait"]);
    assert!(said.contains("all-MiniLM-L6-v2/int8 in the background"), "{said}");
    desk.kill();
    let mut desk = Desk::with(data.path(), &["--precision", "f32"]).await;
    assert_eq!(desk.copies_of(SECOND).await, ["a#1"]);

    // What comes in and goes meanwhile is not lost.
    let said = reembed(&desk.address, &["--no-wait"]);
    assert!(said.contains("int8"), "{said}");
    for index in 0..20 {
        desk.put(&format!("n{index}"), &[&format!("Note {index}: {THIRD}")]).await;
        desk.delete(&format!("r{index}")).await.unwrap();
    }
    let said = reembed(&desk.address, &[]);
    assert!(said.contains("all-MiniLM-L6-v2/int8 answers now"), "{said}");
    let info = desk.info().await;
    assert_eq!(info.model.unwrap().model_id, "all-MiniLM-L6-v2/int8");
    assert!(info.next_model.is_none());
    assert_eq!(info.corpus.as_ref().unwrap().index_coverage, 1.0);
    assert_eq!(info.corpus.unwrap().distinct_passage_count, 40 + 20 + 4);
    assert_eq!(desk.copies_of(SECOND).await, ["a#1"]);
    desk.put("b", &[SECOND]).await;
    assert_eq!(desk.copies_of(SECOND).await, ["a#1", "b#0"]);
    let related = desk.related_to("interest rates").await;
    desk.terminate();
    assert!(desk.wait().await.success());

    // Where nothing else is said, it opens as it was left. With the former model it is not
    // opened any more, and says what to do.
    let output = program()
        .args(["serve", "--listen", "127.0.0.1:0", "--precision", "f32", "--data"])
        .arg(data.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("all-MiniLM-L6-v2/int8") && said.contains("copydesk reembed"), "{said}");
    let mut desk = Desk::over(data.path()).await;
    assert_eq!(desk.related_to("interest rates").await, related);

    // Without a server, and without the former model.
    let offline = || {
        let mut command = program();
        command.args(["reembed", "--precision", "f32", "--data"]).arg(data.path());
        command.output().unwrap()
    };
    assert_eq!(offline().status.code(), Some(1), "a server has it open");
    desk.terminate();
    assert!(desk.wait().await.success());
    assert!(offline().status.success());
    let mut desk = Desk::over(data.path()).await;
    assert_eq!(desk.info().await.model.unwrap().model_id, "all-MiniLM-L6-v2/f32");
    assert_eq!(desk.copies_of(SECOND).await, ["a#1", "b#0"]);
}

#[tokio::test]
async fn a_change_of_model_goes_on_when_its_caller_has_left() {
    let data = tempfile::tempdir().unwrap();
    let in_precision = |precision| Setup { precision: Some(precision), ..default_setup() };
    let corpus = Corpus::open(
        data.path(),
        &in_precision(Precision::F32),
        copydesk::corpus::Options::default(),
    )
    .unwrap();
    // It has begun, and the model takes longer to load.
    let call = corpus.reembed(in_precision(Precision::Int8));
    tokio::time::timeout(Duration::from_millis(1), call).await.unwrap_err();
    let changed = async {
        while corpus.model().precision != Precision::Int8 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), changed).await.unwrap();
}

#[tokio::test]
async fn a_corpus_is_not_changed_to_a_model_that_is_none() {
    let mut desk = Desk::open().await;
    for (model, precision, field) in
        [("/no/such/folder", "", "model"), ("BGESmallENV15", "", "model"), ("", "f16", "precision")]
    {
        let request = copydesk::proto::v1::ReembedRequest {
            model: model.to_owned(),
            precision: precision.to_owned(),
        };
        let status = desk.client.admin.reembed(request).await.unwrap_err();
        assert_eq!(common::violations(&status), [field], "{status:?}");
    }
}
