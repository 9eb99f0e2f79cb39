// Makes sure that everything the build needs is there. Silent, and offline, when it is.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { cargoTools, environment, fail, local, pathWithout, read, root, schemathesis, sha256 } from "./project.mjs";
import { mustRun } from "./run.mjs";

const TARGET = "wasm32-unknown-unknown";

// npm replaces node_modules while it runs, so it must not run on the Node inside of it.
// rustup must not install anything by itself: this script says first what is coming.
const env = environment({ PATH: pathWithout(), RUSTUP_AUTO_INSTALL: "0" });

const output = (program, args) => {
  const { status, stdout } = spawnSync(program, args, { cwd: root, env, encoding: "utf8" });
  return status === 0 ? stdout : undefined;
};

const say = (what, howLong) => process.stdout.write(`installing ${what} (${howLong})\n`);

function checkNode() {
  if (Number(process.versions.node.split(".")[0]) < 20) {
    fail(`Node ${process.versions.node} is too old: tollgate's tools need Node 20 or newer.`);
  }
  if (output("npm", ["--version"]) === undefined) {
    fail("npm is missing: it comes with Node; some systems package it separately as `npm`.");
  }
}

function checkPrograms() {
  if (output("rustup", ["--version"]) === undefined) {
    fail("rustup is missing: install it from https://rustup.rs and open a new shell.");
  }
  const compilers = [process.env.CC, "cc", "gcc", "clang"].filter(Boolean);
  if (!compilers.some((compiler) => output(compiler, ["--version"]) !== undefined)) {
    fail("A C compiler is missing: Rust links with one. Debian: `apt-get install build-essential`; macOS: `xcode-select --install`.");
  }
}

async function installRust() {
  const file = read("rust-toolchain.toml");
  const channel = /^channel\s*=\s*"([^"]+)"/m.exec(file)?.[1];
  if (!channel) fail("rust-toolchain.toml names no channel.");
  const installed = (kind) => output("rustup", [kind, "list", "--installed", "--toolchain", channel]) ?? "";
  const components = installed("component");
  const complete = ["cargo", "rustfmt", "clippy"].every((name) => components.includes(name)) && installed("target").includes(TARGET);
  if (complete) return;
  say(`Rust ${channel} with rustfmt, clippy and ${TARGET}`, "a minute or two");
  const args = ["toolchain", "install", channel, "--profile", "minimal", "--component", "rustfmt", "--component", "clippy"];
  await mustRun("rustup", [...args, "--target", TARGET, "--no-self-update"], { env });
}

async function installPackages() {
  const lock = sha256(readFileSync(join(root, "package-lock.json")));
  const stamp = join(root, "node_modules", ".tollgate-lock");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== lock) {
    say("the npm packages of package-lock.json", "about 500 MB on disk, a minute");
    const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
    await mustRun("npm", args, { env });
    writeFileSync(stamp, lock);
  }
  linkNode();
}

/** Puts the locked Node into node_modules/.bin: npm 10 fails to when several platforms' packages bring a program of that name. */
function linkNode() {
  const modules = join(root, "node_modules");
  const names = [`node-${process.platform}-${process.arch}`, `node-bin-${process.platform}-${process.arch}`];
  const name = names.find((name) => existsSync(join(modules, name, "bin", "node")));
  if (name) {
    if (!existsSync(local("node"))) symlinkSync(join("..", name, "bin", "node"), local("node"));
    return;
  }
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 22 || (major === 22 && minor < 12)) {
    fail(`wrangler needs Node 22.12 or newer, and npm has no \`node\` package for ${process.platform}-${process.arch}: install a newer Node.`);
  }
}

async function installCargoTools() {
  if (!existsSync(join(root, "Cargo.lock"))) fail("Cargo.lock is missing: it is part of the checkout.");
  for (const { crate, version, folder, program, args } of Object.values(cargoTools())) {
    if (existsSync(program)) continue;
    say(`${crate} ${version} into ${folder}`, "compiles for three to eight minutes, once");
    await mustRun("cargo", ["install", crate, "--version", version, "--root", folder, ...args], { env });
  }
}

/** A Python environment of exactly what tools/schemathesis.txt names. */
async function installSchemathesis() {
  const { requirements, version, folder, python, stamp } = schemathesis();
  const lock = sha256(readFileSync(requirements));
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lock) return;
  const found = output("python3", ["-c", "import sys, venv, ensurepip; print(sys.version_info >= (3, 11))"]);
  if (found?.trim() !== "True") {
    fail("Python 3.11 or newer with venv is missing: it tries the management API by its description. Debian: `apt-get install python3-venv`.");
  }
  say(`schemathesis ${version} into ${folder}`, "half a minute");
  rmSync(folder, { recursive: true, force: true });
  await mustRun("python3", ["-m", "venv", folder], { env });
  const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"];
  await mustRun(python, [...args, "-r", requirements], { env });
  writeFileSync(stamp, lock);
}

try {
  checkNode();
  // For what compiles nothing.
  if (process.argv.includes("--packages")) {
    await installPackages();
    process.exit(0);
  }
  checkPrograms();
  await installRust();
  await installPackages();
  // For what compiles no WebAssembly.
  if (process.argv.includes("--native")) process.exit(0);
  await installCargoTools();
  // What only tests need is no matter of whoever serves.
  if (process.argv.includes("--tests")) await installSchemathesis();
} catch (error) {
  fail(`Installation failed: ${error.message}`);
}
