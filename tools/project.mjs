// Where things are: the checkout, the tools that it installs, the environment that they run in.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Of `worker-build`: goes with the `worker` crate's minor version. */
export const WORKER_BUILD_VERSION = "0.8.7";

const bin = join(root, "node_modules", ".bin");
const cache = resolve(process.env.TOLLGATE_CACHE || join(homedir(), ".cache", "tollgate"));

/** A program that `npm ci` put into the checkout. */
export const local = (name) => join(bin, name);

/** The Node that runs wrangler: the checkout's own, because wrangler needs a newer one than the tools do. */
export const node = () => (existsSync(local("node")) ? local("node") : process.execPath);

export const read = (path) => readFileSync(join(root, path), "utf8");

export const sha256 = (data) => createHash("sha256").update(data).digest("hex");

/** The version of a package in Cargo.lock, which is what the command-line tool must match to the digit. */
export function lockedVersion(name) {
  const found = new RegExp(`name = "${name}"\\nversion = "([^"]+)"`).exec(read("Cargo.lock"));
  if (!found) throw new Error(`Cargo.lock names no package \`${name}\``);
  return found[1];
}

/** The programs that `tools/install.mjs` compiles, each in a folder of its version so that versions can live side by side. */
export function cargoTools() {
  const tool = (name, crate, version, args) => {
    const folder = join(cache, `${name}-${version}`);
    return { crate, version, folder, program: join(folder, "bin", name), args };
  };
  return {
    // Not `--locked`: the lock published with the command-line tool may name a yanked crate version.
    wasmBindgen: tool("wasm-bindgen", "wasm-bindgen-cli", lockedVersion("wasm-bindgen"), []),
    workerBuild: tool("worker-build", "worker-build", WORKER_BUILD_VERSION, ["--locked"]),
  };
}

/** The tool that tries the management API by its description: a Python environment of its own, in a folder of its version. */
export function schemathesis() {
  const requirements = join(root, "tools", "schemathesis.txt");
  const version = /^schemathesis==(\S+)/m.exec(readFileSync(requirements, "utf8"))?.[1];
  if (!version) throw new Error("tools/schemathesis.txt names no version of schemathesis");
  const folder = join(cache, `schemathesis-${version}`);
  return { requirements, version, folder, python: join(folder, "bin", "python"), program: join(folder, "bin", "schemathesis"), stamp: join(folder, ".lock") };
}

/** PATH with the checkout's programs first, or without them. */
export const pathWith = () => [bin, pathWithout()].join(delimiter);
export const pathWithout = () =>
  (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== bin).join(delimiter);

export const environment = (extra = {}) => ({ ...process.env, PATH: pathWith(), ...extra });

/** Ends a command-line tool with one sentence instead of a stack trace. */
export function fail(message, code = 1) {
  process.stderr.write(`${message}\n`);
  process.exit(code);
}
