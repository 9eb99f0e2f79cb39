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

use tollgate::config::{Config, ConfigError, PolicyTests};

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

/// Everything that is wrong with a file: also with the shape of its tests, which the worker passes over.
fn problems(file: &str) -> Vec<ConfigError> {
    let text = match read(file) {
        Ok(text) => text,
        Err(e) => {
            return vec![ConfigError {
                path: "(document)".to_owned(),
                problem: format!("cannot be read: {e}"),
            }];
        }
    };
    let mut errors = Config::parse(&text).err().unwrap_or_default();
    for error in PolicyTests::read(&text).err().unwrap_or_default() {
        // What is no JSON is none in both readings.
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    errors
}

fn read(file: &str) -> io::Result<String> {
    if file == "-" { io::read_to_string(io::stdin()) } else { fs::read_to_string(file) }
}
