//! A data folder on a disk that is full: a small one in memory, which only the server sees.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]
#![cfg(target_os = "linux")]

mod common;

use std::path::Path;
use std::process::Command;

use common::{Desk, LEAD, document, ingest, program};
use copydesk::proto::v1 as pb;
use tonic::Code;
use tonic_types::StatusExt;

/// Megabytes of the disk, and how many of them something else fills.
const DISK: usize = 12;
const TAKEN: usize = 5;

/// The program in a mount namespace of its own.
fn confined(folder: &Path) -> Command {
    let script = format!(
        "mount -t tmpfs -o size={DISK}m tmpfs \"$0\" \
         && head -c {TAKEN}M /dev/zero > \"$0/taken\" && mkdir \"$0/data\" && exec \"$@\""
    );
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script]);
    command.arg(folder).arg(program().get_program());
    command
}

fn text(number: usize) -> String {
    let words: Vec<String> = (0..40).map(|word| format!("w{}x{number}", word * 31 % 997)).collect();
    format!("Report {number} from the harbour: {}.", words.join(" "))
}

#[tokio::test]
async fn a_full_disk_refuses_what_comes_in_and_keeps_what_was_taken() {
    let may_mount = ["--map-root-user", "--mount", "true"];
    if !Command::new("unshare").args(may_mount).status().is_ok_and(|status| status.success()) {
        // Some machines let nobody but root have a namespace.
        return eprintln!("not run: this machine allows no mount namespace");
    }
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let options = ["--segment-rows", "64"];
    let mut desk = Desk::run(confined(folder.path()), &data, &options).await;
    let mut taken = Vec::new();
    let refused = loop {
        let id = format!("d{}", taken.len());
        let texts: Vec<String> = (0..10).map(|part| text(10 * taken.len() + part)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        match desk.ingest(ingest(document(&id, &texts))).await {
            Ok(_) => taken.push(id),
            Err(status) => break status,
        }
    };
    assert_eq!(refused.code(), Code::ResourceExhausted, "{refused}");
    let details = refused.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "DISK_FULL");
    assert!(details.retry_info().unwrap().retry_delay.is_some());

    // What was taken is there, what was refused is not, and questions are answered.
    let missing = format!("d{}", taken.len());
    let status = desk.get(&missing, pb::VerdictView::Passages).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(desk.info().await.corpus.unwrap().document_count, taken.len() as i64);
    for (number, id) in taken.iter().enumerate() {
        assert!(desk.copies_of(&text(10 * number)).await.contains(&format!("{id}#0")));
    }

    // Somebody makes room, and it goes on.
    let room = format!("/proc/{}/root/{}/taken", desk.pid(), folder.path().display());
    std::fs::remove_file(room).unwrap();
    desk.put(&missing, &[LEAD]).await;
    assert_eq!(desk.copies_of(LEAD).await, [format!("{missing}#0")]);
    for (number, id) in taken.iter().enumerate() {
        assert!(desk.copies_of(&text(10 * number)).await.contains(&format!("{id}#0")));
    }
}
