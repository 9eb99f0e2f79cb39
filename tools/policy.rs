//! Lints a configuration and runs its tests, and explains what becomes of a request. `tools/policy-check.mjs` and `tools/explain.mjs` call it.
//!
//! ```sh
//! cargo run --no-default-features --features policy --bin tollgate-policy -- check tollgate.json
//! ```

#![expect(clippy::print_stderr, clippy::print_stdout, reason = "a program of the command line")]

use std::process::ExitCode;
use std::{env, fs, io};

use serde::Serialize;
use tollgate::policy_check::{Input, Report, check, explain};

const USAGE: &str = "usage: tollgate-policy check [--strict] [--allow KIND]… [--json] FILE|-
       tollgate-policy explain [--json]

check    Lints a configuration and runs the tests that stand beside its rules. `-` is the standard input.
         --strict      warnings count as errors
         --allow KIND  leaves out findings of this kind, which stands in brackets behind each; no error can be left out
         Ends with 1 where there are errors, or a test has failed.
explain  Reads a request as JSON from the standard input (docs/policy.md), and says what becomes of it.
         Ends with 1 where it cannot be asked so.
--json   for machines";

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    if args.iter().any(|arg| arg == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let done = match args.split_first() {
        Some((command, rest)) if command == "check" => run_check(rest),
        Some((command, rest)) if command == "explain" => run_explain(rest),
        _ => None,
    };
    done.unwrap_or_else(|| {
        eprintln!("{USAGE}");
        ExitCode::from(2)
    })
}

/// `None`: it was not called as it should be.
fn run_check(args: &[String]) -> Option<ExitCode> {
    let (mut is_strict, mut is_json, mut allowed, mut file) = (false, false, Vec::new(), None);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--strict" => is_strict = true,
            "--json" => is_json = true,
            "--allow" => allowed.push(args.next()?.clone()),
            other if other == "-" || !other.starts_with('-') => {
                if file.replace(other).is_some() {
                    return None;
                }
            }
            _ => return None,
        }
    }
    let report = match read(file?) {
        Ok(text) => check(&text).without(&allowed),
        Err(e) => {
            eprintln!("error: {}: cannot be read: {e}", file?);
            return Some(ExitCode::FAILURE);
        }
    };
    show(&report, is_json, Report::to_string);
    Some(if report.is_good(is_strict) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_explain(args: &[String]) -> Option<ExitCode> {
    let is_json = match args {
        [] => false,
        [arg] if arg == "--json" => true,
        _ => return None,
    };
    // An error of the reader would quote what it has read, and that is a token, perhaps.
    let input = read("-").ok().and_then(|text| serde_json::from_str::<Input>(&text).ok());
    let explained =
        input.ok_or_else(|| "the standard input is no request as docs/policy.md has it".to_owned());
    match explained.and_then(|input| explain(&input)) {
        Ok(explained) => show(&explained, is_json, ToString::to_string),
        Err(problem) => {
            eprintln!("{problem}");
            return Some(ExitCode::FAILURE);
        }
    }
    Some(ExitCode::SUCCESS)
}

fn read(file: &str) -> io::Result<String> {
    if file == "-" { io::read_to_string(io::stdin()) } else { fs::read_to_string(file) }
}

fn show<T: Serialize>(what: &T, is_json: bool, text: fn(&T) -> String) {
    match serde_json::to_string(what) {
        Ok(json) if is_json => println!("{json}"),
        _ => print!("{}", text(what)),
    }
}
