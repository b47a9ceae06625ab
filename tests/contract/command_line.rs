//! The program as a person or a script uses it: output, exit codes, one sentence for
//! what goes wrong.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::{Desk, LEAD, OTHER, SECOND, THIRD, ingest, program, seeds};
use copydesk::proto::v1 as pb;
use serde_json::Value;

fn run(desk: &Desk, arguments: &[&str]) -> Output {
    program().args(["--server", &desk.address]).args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn json_lines(output: &Output) -> Vec<Value> {
    out(output).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_files_and_json_lines_are_taken_in_and_bad_ones_are_listed() {
    let desk = Desk::open().await;
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir(path("inner")).unwrap();
    fs::write(path("a.txt"), format!("Rates rise again in the capital\n{LEAD}\n{SECOND}")).unwrap();
    fs::write(path("inner/b.txt"), OTHER).unwrap();
    fs::write(path("ignored.md"), "not an article").unwrap();
    fs::write(path(".hidden.txt"), "not an article").unwrap();
    fs::write(path("latin1.txt"), b"caf\xe9 prices rose").unwrap();
    fs::write(path("blank.txt"), " \n").unwrap();
    let rows = format!(
        "{}\n{{\"broken\": \n{}\n",
        serde_json::json!({"id": "r1", "paragraphs": [LEAD, SECOND], "date": "26-FEB-1987 15:01:01.79"}),
        serde_json::json!({"id": "r2", "text": "Corn prices fell.", "paragraphs": ["twice"]}),
    );
    fs::write(path("rows.jsonl"), rows).unwrap();

    let output = run(&desk, &["ingest", folder.path().to_str().unwrap()]);
    assert_eq!(code(&output), Some(1));
    let errors = err(&output);
    for expected in [
        "latin1.txt is not UTF-8 at byte 3",
        "blank.txt: document.text holds no visible text",
        "rows.jsonl:2 is not an article in JSON",
        "rows.jsonl:3: document has several bodies",
        "4 of 7 articles failed",
    ] {
        assert!(errors.contains(expected), "{expected}: {errors}");
    }
    assert!(out(&output).contains("exact duplicate"), "{}", out(&output));

    let again = run(&desk, &["--json", "ingest", path("a.txt").to_str().unwrap()]);
    assert_eq!(code(&again), Some(0));
    let answer = &json_lines(&again)[0]["result"];
    assert_eq!(answer["outcome"], "INGEST_OUTCOME_UNCHANGED");
    let id = answer["document_id"].as_str().unwrap();

    let shown = run(&desk, &["show", id]);
    assert!(out(&shown).contains("Rates rise again in the capital"), "{}", out(&shown));
    let listed = run(&desk, &["list", "--json"]);
    assert_eq!(json_lines(&listed).len(), 3);
    let before = run(&desk, &["list", "--json", "--before", "2000-01-01"]);
    assert_eq!(json_lines(&before)[0]["document_id"], "r1");
    let deleted = run(&desk, &["delete", "r1"]);
    assert_eq!((code(&deleted), out(&deleted).trim()), (Some(0), "deleted r1"));
    let again = run(&desk, &["delete", "r1"]);
    assert_eq!(code(&again), Some(1));
    assert!(err(&again).contains("no document has the id \"r1\""), "{}", err(&again));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_taken_in_and_asked_about() {
    let mut desk = Desk::open().await;
    desk.put("text", &[LEAD, SECOND, THIRD]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let page = format!(
        "<meta charset=windows-1252><title>Rates rise | Gazette</title><article><h1>Rates rise</h1>\
         <p>{LEAD}</p><p>{SECOND}</p><p>{THIRD}</p><p>The caf\u{E9} was full.</p></article>"
    );
    fs::write(
        &file,
        page.replace('\u{E9}', "\u{1}")
            .into_bytes()
            .iter()
            .map(|byte| match byte {
                1 => 0xE9,
                byte => *byte,
            })
            .collect::<Vec<u8>>(),
    )
    .unwrap();
    let file = file.to_str().unwrap();

    let related = run(&desk, &["related", "--documents", "--file", file, "--json"]);
    assert_eq!(code(&related), Some(0), "{}", err(&related));
    let duplicates = run(&desk, &["duplicates", "--file", file, "--json"]);
    assert_eq!(json_lines(&duplicates).len(), 3, "{}", err(&duplicates));

    let ingested = run(&desk, &["ingest", folder.path().to_str().unwrap(), "--json"]);
    assert_eq!(code(&ingested), Some(0), "{}", err(&ingested));
    let id = json_lines(&ingested)[0]["result"]["document_id"].as_str().unwrap().to_owned();
    let shown = run(&desk, &["show", &id]);
    assert!(out(&shown).contains("Rates rise"), "{}", out(&shown));
    assert!(out(&shown).contains("caf\u{E9}"), "{}", out(&shown));

    let child = program()
        .args(["--server", &desk.address, "ingest", "-", "--format", "html"])
        .stdin(fs::File::open(file).unwrap())
        .output()
        .unwrap();
    assert!(out(&child).contains("known already"), "{}{}", out(&child), err(&child));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_exported_can_be_taken_in() {
    let desk = desk_with_seeds().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("corpus.jsonl");
    let exported = run(&desk, &["export"]);
    assert_eq!(code(&exported), Some(0), "{}", err(&exported));
    fs::write(&file, &exported.stdout).unwrap();
    let one = run(&desk, &["export", "--source", "Sputnik"]);
    assert_eq!(json_lines(&one).len(), 1);

    let other = Desk::open().await;
    let ingested = run(&other, &["ingest", file.to_str().unwrap()]);
    assert_eq!(code(&ingested), Some(0), "{}", err(&ingested));
    let ordered = |output: &Output| {
        let mut lines: Vec<String> = out(output).lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(ordered(&run(&other, &["export"])), ordered(&exported));
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_take_text_standard_input_and_ids() {
    let mut desk = Desk::open().await;
    desk.put("a", &[LEAD, SECOND]).await;
    desk.put("b", &[LEAD]).await;
    let by_text = run(&desk, &["duplicates", LEAD, "--json"]);
    assert_eq!(json_lines(&by_text).len(), 2);
    assert_eq!(json_lines(&by_text)[0]["verdict"], "VERDICT_EXACT_DUPLICATE");
    let by_id = run(&desk, &["duplicates", "--document", "b"]);
    assert!(out(&by_id).contains("a#0"), "{}", out(&by_id));

    let mut child = program()
        .args(["--server", &desk.address, "related", "-", "--limit", "1", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"governor on stubborn inflation").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(json_lines(&output)[0]["passage"]["passage_id"], "a#1");

    let info = run(&desk, &["info", "--json"]);
    assert_eq!(json_lines(&info)[0]["corpus"]["document_count"], 2);
    assert_eq!(json_lines(&info)[0]["model"]["dimension"], 384);
    let nothing = run(&desk, &["duplicates", "something else altogether"]);
    assert_eq!(out(&nothing).trim(), "nothing stored says the same");
}

/// One of the five articles.
const LOWY: &str = "lowy-interpreter-2023-11-24-closer-but-not-too-close";

/// A desk with the five articles, under the stems of their files.
async fn desk_with_seeds() -> Desk {
    let mut desk = Desk::open().await;
    for (stem, text) in seeds() {
        let article =
            pb::Document { document_id: stem, text: Some(text), ..pb::Document::default() };
        desk.ingest(ingest(article)).await.unwrap();
    }
    desk
}

/// The ids of answers that have a document each.
fn document_ids(answers: &[Value]) -> Vec<&str> {
    answers.iter().map(|answer| answer["document"]["document_id"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn related_passages_are_ranked_as_the_options_say() {
    let desk = desk_with_seeds().await;
    let question = "Did North Korea send ammunition to Russia?";
    let asked = |options: &[&str]| {
        let output = run(&desk, &[&["related", question, "--json"], options].concat());
        assert_eq!(code(&output), Some(0), "{options:?}: {}", err(&output));
        json_lines(&output)
    };
    let plain = asked(&[]);
    assert_eq!(plain.len(), 10);
    assert!(asked(&["--mode", "lexical"]).iter().all(|found| !found["lexical_score"].is_null()));
    let semantic = asked(&["--mode", "semantic"]);
    assert!(semantic.iter().all(|found| !found["cosine"].is_null()));
    let ids = |found: &[Value]| -> Vec<Value> {
        found.iter().map(|found| found["passage"]["passage_id"].clone()).collect()
    };
    assert_ne!(ids(&asked(&["--diversity", "0.9"])), ids(&plain));

    let score = |found: &[Value]| found[0]["score"].as_f64().unwrap();
    let one = ["--before", "2023-11-25", "--after", "2023-11-24", "--limit", "1"];
    let aged = asked(&[&one[..], &["--half-life", "7d", "--as-of", "2023-12-08"]].concat());
    let halves = score(&asked(&one)) / score(&aged);
    assert!((3.99..=4.6).contains(&halves), "two weeks are two halves: {halves}");
    let unknown = run(&desk, &["related", question, "--diversity", "2"]);
    assert_eq!(code(&unknown), Some(1));
    assert!(err(&unknown).contains("ranking.diversity is 2"), "{}", err(&unknown));
}

#[tokio::test(flavor = "multi_thread")]
async fn related_documents_and_their_stories_are_shown() {
    let mut desk = desk_with_seeds().await;
    let by_id = run(&desk, &["related", "--documents", "--document", LOWY, "--json"]);
    let by_id = json_lines(&by_id);
    assert_eq!(by_id.len(), 4);
    assert!(by_id.iter().all(|found| found["evidence"][0]["passage"].is_object()));

    // The same article, which is not stored under that name.
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("seeds/{LOWY}.txt"));
    let file = file.to_str().unwrap();
    let by_file = run(&desk, &["related", "--documents", "--file", file]);
    assert_eq!(code(&by_file), Some(0), "{}", err(&by_file));
    let said = out(&by_file);
    assert!(said.contains(&format!("copies of the query itself: {LOWY}")), "{said}");
    let passages = run(&desk, &["related", "--file", file, "--json", "--limit", "3"]);
    assert_eq!(json_lines(&passages).len(), 3);

    let folder = tempfile::tempdir().unwrap();
    let several = folder.path().join("several.jsonl");
    fs::write(&several, "{\"text\": \"One.\"}\n{\"text\": \"Two.\"}\n").unwrap();
    let several = run(&desk, &["related", "--documents", "--file", several.to_str().unwrap()]);
    assert_eq!(code(&several), Some(1));
    assert!(err(&several).contains("holds no article or several"), "{}", err(&several));

    // A story of two, of which one is a copy.
    desk.put("a", &[LEAD, SECOND, THIRD]).await;
    desk.put("b", &[LEAD, SECOND, THIRD]).await;
    let shown = run(&desk, &["show", "b", "--json"]);
    let story = json_lines(&shown)[0]["document"]["story_id"].as_str().unwrap().to_owned();
    let told = run(&desk, &["story", &story]);
    assert_eq!(code(&told), Some(0), "{}", err(&told));
    let told = out(&told);
    assert!(told.contains("documents  2, 1 of them no copies of another one"), "{told}");
    assert_eq!(told.matches("first ").count(), 2, "{told}");
    let one = json_lines(&run(&desk, &["story", &story, "--limit", "1", "--json"]));
    assert_eq!(one[0]["documents"].as_array().unwrap().len(), 1);
    assert_eq!(one[0]["documents"][0]["document_id"], "a");
    let unknown = run(&desk, &["story", "story-0"]);
    assert_eq!(code(&unknown), Some(1));
    assert!(err(&unknown).contains("(NotFound)"), "{}", err(&unknown));

    let stories = json_lines(&run(&desk, &["stories", "--json"]));
    assert_eq!(stories[0]["story_id"], story.as_str());
    let documents: u64 =
        stories.iter().map(|story| story["document_count"].as_u64().unwrap()).sum();
    assert_eq!(documents, 7);
    let listed = run(&desk, &["stories", "--limit", "1"]);
    assert!(out(&listed).contains("2 (1)"), "{}", out(&listed));
    let of_two = json_lines(&run(&desk, &["stories", "--json", "--min-documents", "2"]));
    assert!(of_two.iter().all(|story| story["distinct_document_count"].as_u64() >= Some(2)));
    let of_nobody = run(&desk, &["stories", "--json", "--source", "Nobody"]);
    assert_eq!(out(&of_nobody), "");
}

/// `copydesk watch`, which a test reads along with.
struct Watching {
    child: Child,
    answers: BufReader<ChildStdout>,
    said: BufReader<ChildStderr>,
}

impl Watching {
    /// Starts it, and returns when the question stands.
    fn start(desk: &Desk, arguments: &[&str]) -> Self {
        let mut child = program()
            .args(["--server", &desk.address, "watch"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        let said = BufReader::new(child.stderr.take().unwrap());
        let mut watching = Self { child, answers, said };
        let said = line_of(&mut watching.said);
        assert!(said.starts_with("watching"), "{said}");
        watching
    }

    fn next(&mut self) -> String {
        line_of(&mut self.answers)
    }

    /// Presses Ctrl-C; the code, and what it says then.
    fn interrupt(self) -> (ExitStatus, String) {
        self.end("-INT")
    }

    /// Sends a signal that ends it.
    fn end(mut self, signal: &str) -> (ExitStatus, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let said = line_of(&mut self.said);
        (self.wait(), said)
    }

    fn wait(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(started.elapsed() < Duration::from_secs(60), "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn line_of(input: &mut impl BufRead) -> String {
    let mut line = String::new();
    input.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_prints_what_comes_in_and_says_how_to_go_on() {
    let mut desk = desk_with_seeds().await;
    let watching = Watching::start(&desk, &[LEAD]);
    let (status, said) = watching.interrupt();
    assert_eq!(status.code(), Some(0), "{said}");
    let stood = said.strip_prefix("go on with --after-sequence ").unwrap().to_owned();

    let question = format!("{LEAD}\n{SECOND}\n{THIRD}");
    let mut watching = Watching::start(&desk, &[&question, "--json"]);
    desk.put("far", &[OTHER]).await;
    desk.put("near", &[LEAD, SECOND, THIRD]).await;
    let answer: Value = serde_json::from_str(&watching.next()).unwrap();
    assert_eq!(document_ids(&[answer["document"].clone()]), ["near"]);
    let (status, said) = watching.interrupt();
    let sequence = answer["sequence"].as_i64().unwrap();
    assert_eq!(said, format!("go on with --after-sequence {sequence}"));
    assert_eq!(status.code(), Some(0));

    // Nothing is lost to whoever was interrupted before the first answer.
    let mut watching = Watching::start(&desk, &[&question, "--after-sequence", &stood]);
    assert!(watching.next().contains("  near"));
    let (status, said) = watching.end("-TERM");
    assert_eq!((status.code(), said), (Some(0), format!("go on with --after-sequence {sequence}")));

    // Going on: what came in between is there, and the end of the server is a failure.
    desk.put("between", &[LEAD, THIRD, SECOND]).await;
    let mut watching = Watching::start(
        &desk,
        &["--document", "near", "--after-sequence", &sequence.to_string(), "--min-score", "0.1"],
    );
    let answer = watching.next();
    assert!(answer.contains("  between"), "{answer}");
    let next = answer.split(' ').next().unwrap().to_owned();
    desk.terminate();
    assert_eq!(line_of(&mut watching.said), format!("go on with --after-sequence {next}"));
    let failure = line_of(&mut watching.said);
    assert!(failure.contains("shutting down") && failure.contains("(Unavailable)"), "{failure}");
    assert_eq!(watching.wait().code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flag_goes_before_the_environment_and_that_before_the_file() {
    let desk = Desk::open().await;
    let folder = tempfile::tempdir().unwrap();
    let settings = folder.path().join("settings.toml");
    fs::write(&settings, "server = \"127.0.0.1:1\"\njson = true\n").unwrap();
    let with_file =
        |command: &mut Command| command.env("COPYDESK_CONFIG", &settings).output().unwrap();
    let by_file = with_file(program().arg("info"));
    assert!(
        err(&by_file).contains("cannot reach the server at http://127.0.0.1:1"),
        "{}",
        err(&by_file)
    );
    fs::write(&settings, "server = \"127.0.0.1:1\"\n").unwrap();
    let mut by_environment = program();
    by_environment.arg("info").env("COPYDESK_SERVER", &desk.address).env("COPYDESK_JSON", "1");
    let by_environment = with_file(&mut by_environment);
    assert_eq!(json_lines(&by_environment).len(), 1);
    let mut by_flag = program();
    by_flag
        .args(["info", "--json", "--server", &desk.address])
        .env("COPYDESK_SERVER", "127.0.0.1:2");
    assert_eq!(json_lines(&with_file(&mut by_flag)).len(), 1);
    fs::write(&settings, "sever = \"x\"").unwrap();
    let wrong = with_file(program().arg("info"));
    assert_eq!(code(&wrong), Some(2));
    assert!(err(&wrong).contains("\"sever\" is not a setting"), "{}", err(&wrong));
}

#[test]
fn wrong_usage_exits_with_2() {
    for arguments in [
        &["serve"][..],
        &["nonsense"],
        &["ingest"],
        &["related"],
        &["list", "--limit", "x"],
        &["related", "text", "--documents"],
        &["related", "text", "--mode", "x"],
        &["related", "text", "--half-life", "soon"],
        &["story"],
        &["watch"],
        &["follow"],
        &["ingest", "x", "--fetch-delay", "soon"],
    ] {
        let output = program().args(arguments).output().unwrap();
        assert_eq!(code(&output), Some(2), "{arguments:?}");
    }
    assert_eq!(code(&program().arg("--help").output().unwrap()), Some(0));
}

/// Runs `serve` over `data`, which is expected to fail with one sentence.
fn failing(data: &Path, change: impl FnOnce(&mut Command)) -> String {
    failed(data, change).0
}

/// The same, before the port is open.
fn failing_first(data: &Path, change: impl FnOnce(&mut Command)) -> String {
    let (said, out) = failed(data, change);
    assert_eq!(out, "");
    said
}

/// What it said on standard error and output.
fn failed(data: &Path, change: impl FnOnce(&mut Command)) -> (String, String) {
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--workers", "1", "--data"]).arg(data);
    change(&mut command);
    let output = command.output().unwrap();
    assert_eq!(code(&output), Some(1), "{output:?}");
    let said = err(&output);
    assert!(said.starts_with("copydesk: ") && said.trim().lines().count() == 1, "{said}");
    (said, out(&output))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_of_a_start_is_said_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let data = path("data");
    Desk::over(&data).await.terminate();
    let desk = Desk::over(&data).await;

    let said = failing_first(&data, |_| {});
    assert!(said.contains("in use by another copydesk"), "{said}");
    let said = failing_first(&path("other"), |command| {
        command.args(["--listen", &desk.address]);
    });
    assert!(said.contains("cannot listen on"), "{said}");
    drop(desk);

    let sqlite = |sql: &str| {
        let file = rusqlite::Connection::open(data.join("corpus.sqlite")).unwrap();
        file.execute_batch(sql).unwrap();
    };
    sqlite("UPDATE models SET weights_sha256 = 'other'");
    let said = failing_first(&data, |_| {});
    assert!(said.contains("holds vectors of the model all-MiniLM-L6-v2"), "{said}");
    sqlite("PRAGMA user_version = 99");
    let said = failing_first(&data, |_| {});
    assert!(said.contains("has format 99"), "{said}");
    fs::write(data.join("corpus.sqlite"), "this is no database, but a text file of some length")
        .unwrap();
    let said = failing_first(&data, |_| {});
    assert!(said.contains("is not a copydesk corpus"), "{said}");
    fs::write(path("file"), "").unwrap();
    let said = failing_first(&path("file"), |_| {});
    assert!(said.contains("cannot use the data folder"), "{said}");
    let said = failing_first(&path("new"), |command| {
        command.arg("--snapshots").arg(path("file"));
    });
    assert!(said.contains("cannot use the folder of snapshots"), "{said}");
}

#[test]
fn what_stands_in_the_way_of_a_setup_is_said_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let data = path("data");
    let said = failing(&data, |command| {
        command.env("ORT_DYLIB_PATH", "/nonexistent/libonnxruntime.so");
    });
    assert!(said.contains("ONNX Runtime is not at /nonexistent"), "{said}");
    fs::write(path("empty.so"), "not a library").unwrap();
    let said = failing(&data, |command| {
        command.env("ORT_DYLIB_PATH", path("empty.so"));
    });
    assert!(said.contains("cannot load ONNX Runtime"), "{said}");
    fs::create_dir(path("model")).unwrap();
    let said = failing(&data, |command| {
        command.arg("--model").arg(path("model"));
    });
    assert!(said.contains("model.onnx is missing"), "{said}");

    // A cache where one file was changed.
    let setup = program().args(["setup", "--json"]).output().unwrap();
    let cache = serde_json::from_slice::<Value>(&setup.stdout).unwrap()["model"]
        .as_str()
        .unwrap()
        .to_owned();
    let damaged = path("damaged");
    fs::create_dir(&damaged).unwrap();
    for file in fs::read_dir(cache).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            fs::copy(file.path(), damaged.join(file.file_name())).unwrap();
        }
    }
    fs::write(damaged.join("tokenizer.json"), "{}").unwrap();
    let said = failing(&data, |command| {
        command.arg("--cache").arg(&damaged);
    });
    assert!(said.contains("tokenizer.json is damaged") && said.contains("delete it"), "{said}");

    // Nothing cached, and no pip, or one that reaches nothing.
    let said = failing(&data, |command| {
        command.arg("--cache").arg(path("cache")).env("PATH", path("nowhere"));
    });
    assert!(said.contains("needs Python 3 with pip"), "{said}");
    let said = failing(&data, |command| {
        command.arg("--cache").arg(path("cache"));
        command.env("PIP_INDEX_URL", "http://127.0.0.1:9/simple").env("PIP_RETRIES", "0");
        command
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env_remove("PIP_FIND_LINKS")
            .env_remove("PIP_EXTRA_INDEX_URL");
    });
    assert!(said.contains("pip could not fetch"), "{said}");
    fs::write(path("file"), "").unwrap();
    let said = failing(&data, |command| {
        command.arg("--cache").arg(path("file").join("cache"));
    });
    assert!(said.contains("cannot use the cache folder"), "{said}");
    assert!(!data.exists());
}
