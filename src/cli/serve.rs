use std::future::Future;
use std::io;
use std::thread;

use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::args::{AccessArgs, ServeArgs, SetupArgs};
use super::failure::Failure;
use super::output::{json_value, line};
use super::progress;
use crate::corpus::{Options, Retention};
use crate::embed::{Setup, SetupError, SetupOptions};
use crate::index;
use crate::server::{AccessOptions, ServeError, ServerConfig, TlsFiles, WebOptions};

/// Fetches what is missing and checks what is there.
pub async fn setup(args: SetupArgs, json: bool) -> Result<(), Failure> {
    let setup = ensure(args).await?;
    // Loading it once rewrites it, too, and shows that it works.
    let loading = setup.clone();
    let loaded = tokio::task::spawn_blocking(move || crate::embed::model_of(&loading));
    let model = loaded.await.map_err(|error| Failure::Other(error.to_string()))??;
    if json {
        return json_value(&json!({
            "runtime": setup.runtime,
            "model": setup.model.folder,
            "model_id": model.id,
            "weights_sha256": setup.model.weights_sha256,
        }));
    }
    line(format_args!("runtime  {}", setup.runtime.display()))?;
    line(format_args!("model    {} in {}", model.id, setup.model.folder.display()))?;
    line(format_args!("weights  {}", setup.model.weights_sha256))
}

/// The runtime and the model, fetched with a progress bar where they are not there.
pub async fn ensure(args: SetupArgs) -> Result<Setup, Failure> {
    let SetupArgs { cache, model, precision, runtime } = args;
    let options = SetupOptions { cache, model, precision, runtime, is_offline: false };
    let ensured = tokio::task::spawn_blocking(move || -> Result<Setup, SetupError> {
        let bar = std::cell::OnceCell::new();
        let setup = Setup::ensure(&options, &|done, total| {
            bar.get_or_init(|| progress::bytes(total, "fetching")).set_position(done);
        });
        if let Some(bar) = bar.get() {
            bar.finish_and_clear();
        }
        setup
    });
    let ensured = ensured.await.map_err(|error| Failure::Other(error.to_string()))?;
    Ok(ensured?)
}

/// Serves until a signal to end.
pub async fn serve(args: ServeArgs, json: bool) -> Result<(), Failure> {
    let stop = end_signal()?;
    let access = access(args.access)?;
    let is_encrypted = access.tls.is_some();
    let setup = ensure(args.setup).await?;
    let config = ServerConfig {
        listen: args.listen,
        admin: args.admin,
        web: args.web.map(|address| WebOptions { address, names: args.web_name }),
        data: args.data,
        setup,
        access,
        fetch: args.fetch.options(),
        options: Options {
            workers: args.workers.map_or_else(default_workers, usize::from),
            index: index::Options {
                segment_rows: args.segment_rows as usize,
                is_exact: args.exact,
            },
            retention: Retention {
                default: args.retention,
                by_source: args.retention_of.into_iter().collect(),
            },
            snapshots: args.snapshots,
        },
    };
    let serving = crate::server::serve(config, stop).await?;
    let say = |stage: &str| match json {
        true => json_value(&json!({ "stage": stage, "address": serving.address.to_string() })),
        false => line(format_args!("{stage} on {}", serving.address)),
    };
    say("listening")?;
    if let Some(web) = serving.web {
        let scheme = if is_encrypted { "https" } else { "http" };
        match json {
            true => json_value(&json!({ "stage": "desk", "address": web.to_string() }))?,
            false => line(format_args!("desk on {scheme}://{web}"))?,
        }
    }
    let ended = serving.ended;
    if serving.ready.await.is_ok() {
        say("ready")?;
    }
    ended.await.unwrap_or_else(|error| {
        Err(ServeError::Listen { address: serving.address, source: io::Error::other(error) })
    })?;
    Ok(())
}

/// Who gets in.
fn access(args: AccessArgs) -> Result<AccessOptions, Failure> {
    let wrong = |what: &str| Err(Failure::Settings(what.to_owned()));
    let tls = match (args.tls_cert, args.tls_key, args.tls_client_ca) {
        (Some(certificate), Some(key), clients) => Some(TlsFiles { certificate, key, clients }),
        (None, None, None) => None,
        (None, None, Some(_)) => {
            return wrong("--tls-client-ca takes TLS; give --tls-cert and --tls-key, too");
        }
        _ => return wrong("--tls-cert and --tls-key go together; give the one that is missing"),
    };
    Ok(AccessOptions { tokens: args.tokens, tls, is_forced: args.allow_anybody })
}

/// One worker a core.
pub fn default_workers() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Resolves on SIGTERM or SIGINT.
fn end_signal() -> Result<impl Future<Output = ()> + Send + 'static, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("shutting down: accepted calls finish, new ones are refused");
    })
}
