//! The program as a person or a script uses it: output, exit codes, one sentence for
//! what goes wrong.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod common;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use common::{Desk, LEAD, OTHER, SECOND, program};
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
    for arguments in
        [&["serve"][..], &["nonsense"], &["ingest"], &["related"], &["list", "--limit", "x"]]
    {
        let output = program().args(arguments).output().unwrap();
        assert_eq!(code(&output), Some(2), "{arguments:?}");
    }
    assert_eq!(code(&program().arg("--help").output().unwrap()), Some(0));
}

/// Runs `serve` over `data`, which is expected to fail with one sentence.
fn failing(data: &Path, change: impl FnOnce(&mut Command)) -> String {
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0", "--workers", "1", "--data"]).arg(data);
    change(&mut command);
    let output = command.output().unwrap();
    assert_eq!(code(&output), Some(1), "{output:?}");
    let said = err(&output);
    assert!(said.starts_with("copydesk: ") && said.trim().lines().count() == 1, "{said}");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_in_the_way_of_a_start_is_said_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let data = path("data");
    Desk::over(&data).await.terminate();
    let desk = Desk::over(&data).await;

    let said = failing(&data, |_| {});
    assert!(said.contains("in use by another copydesk"), "{said}");
    let said = failing(&path("other"), |command| {
        command.args(["--listen", &desk.address]);
    });
    assert!(said.contains("cannot listen on"), "{said}");
    drop(desk);

    let sqlite = |sql: &str| {
        let file = rusqlite::Connection::open(data.join("corpus.sqlite")).unwrap();
        file.execute_batch(sql).unwrap();
    };
    sqlite("UPDATE models SET weights_sha256 = 'other'");
    let said = failing(&data, |_| {});
    assert!(said.contains("holds vectors of the model all-MiniLM-L6-v2"), "{said}");
    sqlite("PRAGMA user_version = 99");
    let said = failing(&data, |_| {});
    assert!(said.contains("has format 99"), "{said}");
    fs::write(data.join("corpus.sqlite"), "this is no database, but a text file of some length")
        .unwrap();
    let said = failing(&data, |_| {});
    assert!(said.contains("is not a copydesk corpus"), "{said}");
    fs::write(path("file"), "").unwrap();
    let said = failing(&path("file"), |_| {});
    assert!(said.contains("cannot use the data folder"), "{said}");
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
