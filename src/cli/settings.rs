use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use clap::builder::{BoolishValueParser, OsStr};
use clap::{Arg, ArgAction, Command, CommandFactory};
use toml::{Table, Value};

use super::args::Arguments;
use super::failure::Failure;

/// The command line with an environment variable for every option, and with the
/// settings of the TOML file as defaults: so a flag goes before the environment, and
/// that before the file.
pub(super) fn command(arguments: &[OsString]) -> Result<Command, Failure> {
    let command = with_environment(Arguments::command());
    let Some(path) = settings_file(arguments) else {
        return Ok(command);
    };
    let wrong = |cause: String| Failure::Settings(format!("{}: {cause}", path.display()));
    let text =
        fs::read_to_string(&path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| wrong(error.to_string()))?;
    with_defaults(command, &table).map_err(wrong)
}

/// The file that the flag or the environment names, else the user's own.
fn settings_file(arguments: &[OsString]) -> Option<PathBuf> {
    let mut arguments = arguments.iter().skip(1).take_while(|argument| *argument != "--");
    while let Some(argument) = arguments.next() {
        if argument == "--config" {
            return arguments.next().map(PathBuf::from);
        }
        if let Some(path) = argument.to_str().and_then(|text| text.strip_prefix("--config=")) {
            return Some(PathBuf::from(path));
        }
    }
    let variable = |name| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let own = || {
        let folder =
            variable("XDG_CONFIG_HOME").or_else(|| Some(variable("HOME")?.join(".config")))?;
        Some(folder.join("copydesk/config.toml")).filter(|path: &PathBuf| Path::is_file(path))
    };
    variable("COPYDESK_CONFIG").or_else(own)
}

fn with_environment(command: Command) -> Command {
    command
        .args_override_self(true)
        .mut_args(|arg| match arg.get_action() {
            // In the environment, 1 and yes are as good as true.
            ArgAction::SetTrue => arg.value_parser(BoolishValueParser::new()),
            _ => arg,
        })
        .mut_args(|arg| match arg.get_long().filter(|_| arg.get_env().is_none()) {
            Some(long) => {
                let name = format!("COPYDESK_{}", long.replace('-', "_").to_uppercase());
                arg.env(OsStr::from(name)).hide_env(true)
            }
            None => arg,
        })
        .mut_subcommands(with_environment)
}

fn with_defaults(mut command: Command, table: &Table) -> Result<Command, String> {
    for (key, value) in table {
        let long = key.replace('_', "-");
        let subcommand = command.find_subcommand(&long).map(|found| found.get_name().to_owned());
        if let (Some(name), Value::Table(inner)) = (subcommand, value) {
            let mut result = Ok(());
            command = command.mut_subcommand(name, |subcommand| {
                with_defaults(subcommand.clone(), inner).unwrap_or_else(|error| {
                    result = Err(format!("[{key}] {error}"));
                    subcommand
                })
            });
            result?;
            continue;
        }
        let arg =
            command.get_arguments().find(|arg| arg.get_long() == Some(&long) && long != "config");
        let id = arg.map(|arg| arg.get_id().clone());
        let id =
            id.ok_or_else(|| format!("{key:?} is not a setting; see --help for those that are"))?;
        let defaults = texts(value).ok_or_else(|| {
            format!("{key:?} is neither a text, a number, true or false, nor a list of these")
        })?;
        command = command.mut_arg(id, |arg| default(arg, defaults));
    }
    Ok(command)
}

fn default(arg: Arg, values: Vec<String>) -> Arg {
    arg.required(false).default_values(values.into_iter().map(OsStr::from))
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) => Some(vec![value.to_string()]),
        Value::Array(values) => {
            values.iter().map(texts).collect::<Option<Vec<_>>>().map(|lists| lists.concat())
        }
        Value::Datetime(time) => Some(vec![time.to_string()]),
        Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{with_defaults, with_environment};
    use crate::cli::args::{Arguments, Command};
    use clap::{CommandFactory, FromArgMatches};

    fn parse(settings: &str, arguments: &[&str]) -> Result<Arguments, String> {
        let table = settings.parse().unwrap();
        let command = with_defaults(with_environment(Arguments::command()), &table)?;
        let matches = command.try_get_matches_from(arguments).map_err(|error| error.to_string())?;
        Arguments::from_arg_matches(&matches).map_err(|error| error.to_string())
    }

    const SETTINGS: &str =
        "json = true\n[serve]\ndata = \"/srv/desk\"\nlisten = \"127.0.0.1:9\"\nworkers = 3\n";

    #[test]
    fn a_flag_goes_before_the_file() {
        let arguments = parse(SETTINGS, &["copydesk", "serve", "--listen", "127.0.0.1:8"]).unwrap();
        assert!(arguments.json);
        let Command::Serve(serve) = arguments.command else { panic!("not serve") };
        assert_eq!(serve.data.to_str(), Some("/srv/desk"));
        assert_eq!((serve.listen.port(), serve.workers), (8, Some(3)));
    }

    #[test]
    fn settings_that_are_none_are_named() {
        let error = parse("[serve]\nlisen = 1", &["copydesk", "info"]).unwrap_err();
        assert!(error.contains("[serve] \"lisen\" is not a setting"), "{error}");
        assert!(parse("nonsense = 1", &["copydesk", "info"]).is_err());
    }

    #[test]
    fn the_command_line_is_well_formed() {
        with_environment(Arguments::command()).debug_assert();
    }
}
