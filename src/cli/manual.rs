use std::fs;
use std::io::{self, Write};

use clap::CommandFactory;

use super::args::{Arguments, CompletionsArgs, ManArgs};
use super::failure::Failure;

/// Prints a script for a shell.
pub fn completions(args: &CompletionsArgs) -> Result<(), Failure> {
    let mut command = Arguments::command();
    let name = command.get_name().to_owned();
    // The generator panics where it cannot write, e.g. into a pipe that nobody reads.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    Ok(io::stdout().write_all(&script)?)
}

/// Prints a manual page, or writes all of them into a folder.
pub fn man(args: &ManArgs) -> Result<(), Failure> {
    let command = Arguments::command();
    let Some(folder) = &args.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(command).render(&mut page)?;
        return Ok(io::stdout().write_all(&page)?);
    };
    let failed = |error: io::Error| Failure::Other(format!("{}: {error}", folder.display()));
    fs::create_dir_all(folder).map_err(failed)?;
    clap_mangen::generate_to(command, folder).map_err(failed)
}
