//! What operators' tools ask over HTTP: figures, whether the server lives, and whether it is
//! ready. Answered by a thread of its own, whatever the server is at.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use metrics_exporter_prometheus::PrometheusHandle;

use super::figures;
use super::gate::Gate;

/// How often what was counted is put together, so that it does not pile up unasked.
const UPKEEP: Duration = Duration::from_secs(5);

/// A port that is open, and not answered yet.
pub(super) struct Operators {
    listener: TcpListener,
    figures: PrometheusHandle,
}

struct Desk {
    figures: PrometheusHandle,
    gate: Gate,
    data: PathBuf,
}

impl Operators {
    /// Opens the port and begins to count.
    ///
    /// # Errors
    ///
    /// If the address cannot be listened on.
    pub fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let figures = figures::start().map_err(io::Error::other)?;
        Ok(Self { listener, figures })
    }

    /// Answers for as long as the process lives.
    ///
    /// # Errors
    ///
    /// If there can be no thread for it.
    pub fn answer(self, gate: Gate, data: PathBuf) -> io::Result<()> {
        let Self { listener, figures } = self;
        let desk = Arc::new(Desk { figures, gate, data });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("operators".into()).spawn(move || {
            if let Err(error) = runtime.block_on(serve(listener, desk)) {
                tracing::error!(%error, "operators' tools are not answered any more");
            }
        })?;
        Ok(())
    }
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) -> io::Result<()> {
    let figures = desk.figures.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(UPKEEP).await;
            figures.run_upkeep();
        }
    });
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/livez", get("ok"))
        .route("/readyz", get(readyz))
        .with_state(desk);
    axum::serve(tokio::net::TcpListener::from_std(listener)?, router).await
}

async fn metrics(State(desk): State<Arc<Desk>>) -> String {
    figures::look(&desk.gate, &desk.data);
    desk.figures.render()
}

async fn readyz(State(desk): State<Arc<Desk>>) -> (StatusCode, &'static str) {
    match desk.gate.why_not() {
        None => (StatusCode::OK, "ok"),
        Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
    }
}
