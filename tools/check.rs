//! Reads configurations with the very parser that the worker uses, and says everything that is wrong with them: a mistake in who gets in
//! does not wait for the first request that hits it. What builds the worker calls it.
//!
//! ```sh
//! cargo run --no-default-features --bin tollgate-check -- tollgate.json
//! ```

#![expect(clippy::print_stderr, reason = "a program of the command line")]

use std::process::ExitCode;
use std::{env, fs};

use tollgate::config::Config;

const USAGE: &str = "usage: tollgate-check FILE…\n\nReads configurations. Says what is wrong with each, and then ends with 1.";

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

/// Everything that is wrong with a file.
fn problems(file: &str) -> Vec<String> {
    match fs::read_to_string(file).map(|text| Config::parse(&text)) {
        Ok(Ok(_)) => Vec::new(),
        Ok(Err(errors)) => errors.iter().map(ToString::to_string).collect(),
        Err(e) => vec![format!("cannot be read: {e}")],
    }
}
