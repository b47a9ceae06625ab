use std::error::Error;
use std::io;
use std::process::ExitCode;

use tonic::Status;

use crate::client::{ConnectError, innermost};
use crate::embed::{ModelError, SetupError};
use crate::server::ServeError;
use crate::store::SnapshotError;

/// Why a command failed: one sentence that says what, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Setup(#[from] SetupError),
    #[error(transparent)]
    Model(#[from] ModelError),
    #[error(transparent)]
    Serve(#[from] ServeError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error(transparent)]
    Connect(#[from] ConnectError),
    #[error("{}", refusal(.0))]
    Refused(Box<Status>),
    #[error(transparent)]
    Input(#[from] super::input::InputError),
    #[error(transparent)]
    Feeds(#[from] super::follow::SettingsError),
    #[error(transparent)]
    State(#[from] super::follow::StateError),
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
    #[error("{0}")]
    Settings(String),
    #[error("{0}")]
    Other(String),
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Refused(Box::new(status))
    }
}

impl Failure {
    /// Writes the sentence and returns the exit code. That the reader of our output
    /// left is no failure to speak of.
    pub fn report(&self) -> ExitCode {
        if !matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe) {
            eprintln!("copydesk: {self}");
        }
        ExitCode::from(if matches!(self, Self::Settings(_) | Self::Feeds(_)) { 2 } else { 1 })
    }
}

fn refusal(status: &Status) -> String {
    // What comes from the server has no source.
    if let Some(source) = status.source() {
        return format!(
            "the connection to the server failed: {}; with TLS its address begins with https://",
            innermost(source)
        );
    }
    let name = format!("{:?}", status.code());
    match status.message() {
        "" => format!("the server answered {name}"),
        message => format!("{message} ({name})"),
    }
}
