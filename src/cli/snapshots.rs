use jiff::Timestamp;
use serde_json::json;

use super::args::{RestoreArgs, SnapshotArgs};
use super::failure::Failure;
use super::output::{json, json_value, line};
use super::progress;
use super::work::meanwhile;
use crate::client::Client;
use crate::proto::v1 as pb;
use crate::store;

/// Has the server make a snapshot, and waits until that is done.
pub async fn snapshot(
    mut client: Client,
    args: SnapshotArgs,
    as_json: bool,
) -> Result<(), Failure> {
    let of_time = || Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
    let request = pb::CreateSnapshotRequest { snapshot_name: args.name.unwrap_or_else(of_time) };
    let bar = progress::waiting("making the snapshot");
    let mut admin = client.admin.clone();
    let making = admin.create_snapshot(request);
    let response = meanwhile(&mut client, making, &bar, &["snapshot"]).await;
    bar.finish_and_clear();
    let response = response?.into_inner();
    if as_json {
        return json("CreateSnapshotResponse", &response);
    }
    let megabytes = response.size_bytes as f64 / 1e6;
    line(format_args!("snapshot {} has {megabytes:.1} MB", response.snapshot_name))
}

/// Makes a corpus of a snapshot.
pub async fn restore(args: RestoreArgs, as_json: bool) -> Result<(), Failure> {
    let RestoreArgs { snapshot, data } = args;
    let folder = data.clone();
    let bar = progress::steps("restoring");
    let told = bar.clone();
    let restoring = tokio::task::spawn_blocking(move || {
        let tell = |what, done, total| progress::tell(&told, what, done, total);
        store::restore(&snapshot, &folder, &tell)
    });
    let restored = restoring.await.map_err(|error| Failure::Other(error.to_string()))?;
    bar.finish_and_clear();
    let restored = restored?;
    if as_json {
        return json_value(&json!({
            "data": data,
            "size_bytes": restored.size_bytes,
            "created_at": restored.created_at,
        }));
    }
    line(format_args!(
        "the corpus of {} is in {}; serve it with --data, and its index is made anew",
        restored.created_at.strftime("%Y-%m-%d %H:%M:%S UTC"),
        data.display()
    ))
}
