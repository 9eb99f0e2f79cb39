//! Reads configurations with the very parser that the worker uses, and says everything that is wrong with them: a mistake in who gets in
//! does not wait for the first request that hits it. What builds the worker calls it.
//!
//! ```sh
//! cargo run --no-default-features --bin tollgate-check -- tollgate.json
//! ```

#![expect(clippy::print_stderr, reason = "a program of the command line")]

use std::process::ExitCode;
use std::{env, fs, io};

use tollgate::config::{Config, PolicyTests};

const USAGE: &str = "usage: tollgate-check FILE…

Reads configurations. Says what is wrong with each, and then ends with 1. `-` is the standard input.";

fn main() -> ExitCode {
    let files: Vec<_> = env::args().skip(1).collect();
    if files.is_empty() || files.iter().any(|file| file == "--help") {
        eprintln!("{USAGE}");
        return if files.is_empty() { ExitCode::from(2) } else { ExitCode::SUCCESS };
    }
    let mut code = ExitCode::SUCCESS;
    for file in files {
        for problem in problems(&file) {
            eprintln!("error: {file}: {problem}");
            code = ExitCode::FAILURE;
        }
    }
    code
}

/// Everything that is wrong with a file: also with the shape of its tests, which the worker passes over.
fn problems(file: &str) -> Vec<String> {
    let text = match read(file) {
        Ok(text) => text,
        Err(e) => return vec![format!("cannot be read: {e}")],
    };
    let mut errors = Config::parse(&text).err().unwrap_or_default();
    for error in PolicyTests::read(&text).err().unwrap_or_default() {
        // What is no JSON is none in both readings.
        if !errors.contains(&error) {
            errors.push(error);
        }
    }
    errors.iter().map(ToString::to_string).collect()
}

fn read(file: &str) -> io::Result<String> {
    if file == "-" { io::read_to_string(io::stdin()) } else { fs::read_to_string(file) }
}
