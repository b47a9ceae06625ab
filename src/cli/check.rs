use std::process::ExitCode;

use serde_json::json;

use super::args::CheckArgs;
use super::failure::Failure;
use super::output::{json_value, line};
use super::progress;
use crate::corpus::check_folder;

/// Checks a data folder. Fails if something is lost that cannot be made anew.
pub async fn check(args: CheckArgs, as_json: bool) -> Result<ExitCode, Failure> {
    let bar = progress::steps("checking");
    let told = bar.clone();
    let checking = tokio::task::spawn_blocking(move || {
        check_folder(&args.data, &|what, done, total| progress::tell(&told, what, done, total))
    });
    let found = checking.await.map_err(|error| Failure::Other(error.to_string()))?;
    bar.finish_and_clear();
    let found = found.map_err(|error| Failure::Other(error.to_string()))?;
    let code = if found.lost.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if as_json {
        json_value(&json!({
            "documents": found.documents,
            "texts": found.texts,
            "segments": found.segments,
            "lost": found.lost,
            "made_anew": found.made_anew,
        }))?;
        return Ok(code);
    }
    for finding in &found.lost {
        line(format_args!("lost: {finding}"))?;
    }
    for finding in &found.made_anew {
        line(format_args!("made anew by the next start: {finding}"))?;
    }
    let (documents, texts, segments) = (found.documents, found.texts, found.segments);
    line(format_args!("{documents} documents, {texts} texts, {segments} segments"))?;
    line(match found.lost.is_empty() {
        true => "nothing is lost",
        false => "some of it cannot be made anew: restore a snapshot",
    })?;
    Ok(code)
}
