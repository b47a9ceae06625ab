//! What the program tells shells and man about itself.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::common::program;

fn printed(arguments: &[&str]) -> String {
    let output = program().args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// What bash offers for the last of `words`, by the script that the program prints.
fn offered_by_bash(words: &[&str]) -> Vec<String> {
    let script = printed(&["completions", "bash"]);
    let ask = format!(
        "{script}\nCOMP_WORDS=({})\nCOMP_CWORD={}\n_copydesk copydesk '{}' '{}'\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"\n",
        words.join(" "),
        words.len() - 1,
        words.last().unwrap(),
        words.iter().rev().nth(1).unwrap(),
    );
    let mut bash = Command::new("bash");
    bash.args(["--norc", "-s"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut bash = bash.spawn().unwrap();
    bash.stdin.take().unwrap().write_all(ask.as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_options_and_values() {
    assert_eq!(offered_by_bash(&["copydesk", "dup"]), ["duplicates"]);
    assert_eq!(
        offered_by_bash(&["copydesk", "serve", "--retention"]),
        ["--retention", "--retention-of"]
    );
    assert_eq!(
        offered_by_bash(&["copydesk", "related", "--mode", "s"]),
        ["semantic"],
        "values of an option"
    );
}

#[test]
fn every_shell_gets_a_script_with_all_commands() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = printed(&["completions", shell]);
        for command in ["ingest", "duplicates", "stories", "max-per-document"] {
            assert!(script.contains(command), "{shell}: {command}");
        }
    }
}

#[test]
fn every_command_has_a_manual_page_with_all_its_options() {
    let page = printed(&["man"]);
    assert!(page.starts_with(".ie") || page.contains(".TH"), "{page}");
    assert!(page.contains("copydesk\\-ingest(1)"));

    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("man1");
    assert_eq!(printed(&["man", "--out", out.to_str().unwrap()]), "");
    let serve = fs::read_to_string(out.join("copydesk-serve.1")).unwrap();
    for option in ["data", "listen", "tokens", "tls\\-client\\-ca", "retention", "log\\-format"] {
        assert!(serve.contains(&format!("\\-\\-{option}")), "{option}");
    }
    assert!(out.join("copydesk.1").is_file());
    assert!(out.join("copydesk-token-new.1").is_file());
}
