use serde_json::json;

use super::args::NewTokenArgs;
use super::failure::Failure;
use super::output::{json_value, line};
use crate::server::NewToken;

/// Makes a token and prints it, and what a tokens file keeps of it.
pub fn new(args: NewTokenArgs, as_json: bool) -> Result<(), Failure> {
    let made = NewToken::generate(args.right, &args.name)
        .map_err(|error| Failure::Other(format!("the system gives no random numbers: {error}")))?;
    if as_json {
        return json_value(&json!({ "token": made.token, "line": made.line }));
    }
    line(format_args!("for the client, kept nowhere: {}", made.token))?;
    line(format_args!("for the tokens file:          {}", made.line))
}
