use std::path::Path;

use serde_json::json;

use super::args::{ReembedArgs, ServerArgs, SetupArgs};
use super::connect::connect;
use super::failure::Failure;
use super::output::{json, json_value, line};
use super::progress;
use super::serve::{default_workers, ensure};
use super::work::INTERVAL;
use crate::client::Client;
use crate::corpus::reembed_folder;
use crate::proto::v1 as pb;

/// Changes a corpus to another model, and waits until that answers.
pub async fn reembed(server: ServerArgs, args: ReembedArgs, as_json: bool) -> Result<(), Failure> {
    match args.data {
        Some(folder) => of_folder(&folder, args.setup, as_json).await,
        None => of_server(connect(&server).await?, args, as_json).await,
    }
}

async fn of_folder(folder: &Path, setup: SetupArgs, as_json: bool) -> Result<(), Failure> {
    let setup = ensure(setup).await?;
    let bar = progress::texts("embedding");
    let changed = reembed_folder(folder, &setup, default_workers(), |done, total| {
        progress::tell_texts(&bar, done, total);
    });
    let changed = changed.await;
    bar.finish_and_clear();
    let model = changed.map_err(|error| Failure::Other(error.to_string()))?;
    if as_json {
        return json_value(&json!({ "model_id": model.id }));
    }
    line(format_args!("the corpus in {} has vectors of {} now", folder.display(), model.id))
}

/// Changes the corpus of a server.
async fn of_server(mut client: Client, args: ReembedArgs, as_json: bool) -> Result<(), Failure> {
    let SetupArgs { model, precision, .. } = args.setup;
    // The server may have another working directory.
    let model = model.map(|model| model.canonicalize().unwrap_or(model));
    let request = pb::ReembedRequest {
        model: model.map(|model| model.display().to_string()).unwrap_or_default(),
        precision: precision.map(|it| it.as_str().to_owned()).unwrap_or_default(),
    };
    let response = client.admin.reembed(request).await?.into_inner();
    let id = response.model.as_ref().map(|model| model.model_id.clone()).unwrap_or_default();
    if !args.no_wait {
        wait(&mut client, &id).await?;
    }
    if as_json {
        return json("ReembedResponse", &response);
    }
    line(match args.no_wait {
        true => {
            format!("embedding with {id} in the background; `copydesk info` tells how far it is")
        }
        false => format!("{id} answers now; start the server with it from now on"),
    })
}

/// Returns when the model answers.
async fn wait(client: &mut Client, id: &str) -> Result<(), Failure> {
    let bar = progress::texts("embedding");
    loop {
        let info = client.admin.get_server_info(pb::GetServerInfoRequest {}).await?.into_inner();
        let corpus = info.corpus.unwrap_or_default();
        if info.model.is_some_and(|model| model.model_id == id) {
            bar.finish_and_clear();
            return Ok(());
        }
        let Some(next) = info.next_model.filter(|next| next.model_id == id) else {
            bar.finish_and_clear();
            let work = corpus.background_work.join(", ");
            return Err(Failure::Other(format!("the change ended before it was done: {work}")));
        };
        let total = corpus.distinct_passage_count;
        let done = f64::from(next.embedded_share) * total as f64;
        progress::tell_texts(&bar, done as u64, total as u64);
        tokio::time::sleep(INTERVAL).await;
    }
}
