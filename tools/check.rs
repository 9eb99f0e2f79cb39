//! Reads configurations with the very parser that the worker uses, and says everything that is wrong with them: a mistake in who gets in
//! does not wait for the first request that hits it. What builds the worker calls it.
//!
//! It reads strict JSON, as the worker does. `tools/document.mjs` makes that of files with comments, includes and blocks:
//!
//! ```sh
//! node tools/document.mjs tollgate.json | cargo run --no-default-features --bin tollgate-check -- -
//! ```

#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a program of the command line")]

use std::process::ExitCode;
use std::{env, fs, io};

use tollgate::config::{Config, ConfigError};

const USAGE: &str = "usage: tollgate-check [--json] FILE…

Reads configurations; `-` is standard input. Says what is wrong with each, and then ends with 1.

  --json   says it on standard output, one object in each line: file, path, problem";

fn main() -> ExitCode {
    let (options, files): (Vec<_>, Vec<_>) =
        env::args().skip(1).partition(|argument| argument.len() > 1 && argument.starts_with('-'));
    if options.iter().any(|option| option == "--help") {
        eprintln!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    if files.is_empty() || options.iter().any(|option| option != "--json") {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    }
    let mut code = ExitCode::SUCCESS;
    for file in files {
        for ConfigError { path, problem } in problems(&file) {
            if options.is_empty() {
                eprintln!("error: {file}: {path}: {problem}");
            } else {
                println!("{}", serde_json::json!({ "file": file, "path": path, "problem": problem }));
            }
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// Everything that is wrong with a file.
fn problems(file: &str) -> Vec<ConfigError> {
    let text = if file == "-" { io::read_to_string(io::stdin()) } else { fs::read_to_string(file) };
    match text {
        Ok(text) => Config::parse(&text).err().unwrap_or_default(),
        Err(e) => {
            vec![ConfigError { path: "(document)".to_owned(), problem: format!("cannot be read: {e}") }]
        }
    }
}
