use std::process;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::failure::Failure;

/// The exit code of a command that was interrupted before it was done.
pub const INTERRUPTED: u8 = 130;

/// Is cancelled by Ctrl-C or SIGTERM. Whoever asks twice does not want to wait: the second
/// one ends the process.
pub fn on_signal() -> Result<CancellationToken, Failure> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if told.is_cancelled() {
                process::exit(INTERRUPTED.into());
            }
            told.cancel();
        }
    });
    Ok(stop)
}
