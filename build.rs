//! Reads the configuration with the very parser that the worker uses, so that a bad file fails the build,
//! and hands its path to `src/edge/`, which builds it in.
//!
//! `TOLLGATE_CONFIG` names another file than `tollgate.json`.

#![expect(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "the crate's own modules, of which only the parser is used here"
)]

#[path = "src/config/mod.rs"]
mod config;
#[path = "src/encoding.rs"]
mod encoding;
#[path = "src/error.rs"]
mod error;
#[path = "src/id.rs"]
mod id;
#[path = "src/json/mod.rs"]
mod json;
#[path = "src/keyring/mod.rs"]
mod keyring;
#[path = "src/policy/mod.rs"]
mod policy;
#[path = "src/registered.rs"]
mod registered;
#[path = "src/scope.rs"]
mod scope;
#[path = "src/session/mod.rs"]
mod session;
#[path = "src/time.rs"]
mod time;
#[path = "src/token/mod.rs"]
mod token;
#[path = "src/uri.rs"]
mod uri;

use std::path::Path;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-env-changed=TOLLGATE_CONFIG");
    let root = env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let name = env::var("TOLLGATE_CONFIG").unwrap_or_else(|_| "tollgate.json".to_owned());
    let path = Path::new(&root).join(&name);
    println!("cargo::rerun-if-changed={}", path.display());
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) => {
            println!("cargo::error={name}: cannot be read: {e}");
            return;
        }
    };
    match config::Config::parse(&text) {
        Ok(_) => println!("cargo::rustc-env=TOLLGATE_CONFIG_FILE={}", path.display()),
        Err(errors) => {
            for error in errors {
                println!("cargo::error={name}: {error}");
            }
        }
    }
}
