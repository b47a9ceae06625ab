use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use super::args::ExportArgs;
use super::failure::Failure;
use super::output::json;
use super::progress;
use super::stop::{self, INTERRUPTED};
use crate::client::Client;
use crate::proto::v1 as pb;

/// Prints stored documents as JSON Lines, as `ingest` takes them. The code is 130 if it was
/// interrupted: the lines before that are whole.
pub async fn export(mut client: Client, args: ExportArgs) -> Result<ExitCode, Failure> {
    let stop = stop::on_signal()?;
    let filter = args.filter.into_filter();
    let bar = progress::documents(count(&mut client, &filter).await?, "exporting");
    if io::stdout().is_terminal() {
        bar.finish_and_clear();
    }
    let request = pb::ExportDocumentsRequest { filter: Some(filter) };
    let mut answers = client.corpus.export_documents(request).await?.into_inner();
    let code = loop {
        match stop.run_until_cancelled(answers.message()).await {
            Some(answer) => match answer?.and_then(|answer| answer.document) {
                Some(document) => json("Document", &document)?,
                None => break ExitCode::SUCCESS,
            },
            None => break ExitCode::from(INTERRUPTED),
        }
        bar.inc(1);
    };
    bar.finish_and_clear();
    io::stdout().flush()?;
    Ok(code)
}

/// How many documents there are to come, as far as that can be told beforehand; else 0.
async fn count(client: &mut Client, filter: &pb::Filter) -> Result<u64, Failure> {
    if *filter != pb::Filter::default() {
        return Ok(0);
    }
    let info = client.admin.get_server_info(pb::GetServerInfoRequest {}).await?.into_inner();
    let documents = info.corpus.unwrap_or_default().document_count;
    Ok(u64::try_from(documents).unwrap_or(0))
}
