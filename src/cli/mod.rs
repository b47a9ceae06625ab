//! The command line: everything but `serve`, `setup` and `demo` talks to a server.

mod args;
mod check;
mod connect;
mod demo;
mod documents;
mod export;
mod failure;
mod follow;
mod ingest;
mod input;
mod logs;
mod manual;
mod output;
mod progress;
mod questions;
mod reembed;
mod serve;
mod settings;
mod snapshots;
mod stop;
mod stories;
mod token;
mod watch;
mod work;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::FromArgMatches;

use args::{Arguments, Command, TokenCommand};
use connect::connect;
use failure::Failure;

pub use input::json_lines;

/// Runs the command that `arguments` name, the program's name first.
///
/// Returns 0 if all went well, 1 if something failed, 2 for wrong usage.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let command = match settings::command(&arguments) {
        Ok(command) => command,
        Err(failure) => return failure.report(),
    };
    let parsed = command
        .try_get_matches_from(&arguments)
        .and_then(|matches| Arguments::from_arg_matches(&matches));
    let parsed = match parsed {
        Ok(parsed) => parsed,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Failure::from(error).report(),
    };
    let logging = {
        let _runtime = runtime.enter();
        let otlp = match &parsed.command {
            Command::Serve(args) => args.otlp.as_ref(),
            _ => None,
        };
        logs::start(&parsed.log, parsed.log_format, otlp)
    };
    let logs = match logging {
        Ok(logs) => logs,
        Err(failure) => return failure.report(),
    };
    let result = runtime.block_on(dispatch(parsed));
    logs.finish();
    // A thread that is still opening a corpus must not hold up the end.
    runtime.shutdown_background();
    match result {
        Ok(code) => code,
        Err(failure) => failure.report(),
    }
}

async fn dispatch(arguments: Arguments) -> Result<ExitCode, Failure> {
    let Arguments { server, json, command, .. } = arguments;
    let done = |()| ExitCode::SUCCESS;
    match command {
        Command::Serve(args) => serve::serve(*args, json).await.map(done),
        Command::Setup(args) => serve::setup(args, json).await.map(done),
        Command::Token { command: TokenCommand::New(args) } => token::new(args, json).map(done),
        Command::Demo(args) => demo::demo(args, json).await.map(done),
        Command::Ingest(args) => ingest::ingest(connect(&server).await?, args, json).await,
        Command::Follow(args) => follow::follow(connect(&server).await?, args, json).await,
        Command::Duplicates(args) => {
            questions::duplicates(connect(&server).await?, args, json).await.map(done)
        }
        Command::Related(args) => {
            questions::related(connect(&server).await?, args, json).await.map(done)
        }
        Command::Watch(args) => watch::watch(connect(&server).await?, args, json).await.map(done),
        Command::Story(args) => stories::story(connect(&server).await?, args, json).await.map(done),
        Command::Stories(args) => {
            stories::stories(connect(&server).await?, args, json).await.map(done)
        }
        Command::Compare(args) => {
            documents::compare(connect(&server).await?, args, json).await.map(done)
        }
        Command::Judge(args) => {
            documents::judge(connect(&server).await?, args, json).await.map(done)
        }
        Command::Show(args) => documents::show(connect(&server).await?, args, json).await.map(done),
        Command::List(args) => documents::list(connect(&server).await?, args, json).await.map(done),
        Command::Delete(args) => {
            documents::delete(connect(&server).await?, args, json).await.map(done)
        }
        Command::Export(args) => export::export(connect(&server).await?, args).await,
        Command::Info => documents::info(connect(&server).await?, json).await.map(done),
        Command::Compact => documents::compact(connect(&server).await?, json).await.map(done),
        Command::Snapshot(args) => {
            snapshots::snapshot(connect(&server).await?, args, json).await.map(done)
        }
        Command::Restore(args) => snapshots::restore(args, json).await.map(done),
        Command::Check(args) => check::check(args, json).await,
        Command::Reembed(args) => reembed::reembed(server, args, json).await.map(done),
        Command::Completions(args) => manual::completions(&args).map(done),
        Command::Man(args) => manual::man(&args).map(done),
    }
}
