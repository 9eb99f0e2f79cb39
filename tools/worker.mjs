// Compiles the edge worker, and gives it its configuration. What was compiled is kept under a hash of everything that goes into it, so the same
// input is compiled once; the configuration is no part of that.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";

import { check } from "./check.mjs";
import { readDocument } from "./document.mjs";
import { withBuildLock } from "./lock.mjs";
import { optimise } from "./optimise.mjs";
import { WORKER_BUILD_VERSION, cargoTools, environment, local, root, sha256 } from "./project.mjs";
import { run } from "./run.mjs";
import { withoutTests } from "./without-tests.mjs";

const SOURCES = ["src", "templates", "assets", "docs/openapi.json", "tools/optimise.mjs", ".cargo", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "package-lock.json"];
const STAMP = ".tollgate-build";
// A few branches and sets of features side by side; one takes about 3 MB.
const KEPT = 8;
const store = join(root, "target", "tollgate-worker");

function files(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).sort().flatMap((name) => files(join(path, name)));
}

function inputs(features) {
  const parts = SOURCES.flatMap((name) => files(join(root, name))).map(
    (path) => `${relative(root, path)} ${sha256(readFileSync(path))}`,
  );
  const settings = [`worker-build ${WORKER_BUILD_VERSION}`, `RUSTFLAGS ${process.env.RUSTFLAGS ?? ""}`, `features ${features}`];
  return sha256([...settings, ...parts].join("\n"));
}

const stampOf = (folder) => {
  const stamp = join(folder, STAMP);
  return existsSync(stamp) ? readFileSync(stamp, "utf8") : undefined;
};

async function compile(folder, { features, log, signal }) {
  rmSync(folder, { recursive: true, force: true });
  const { wasmBindgen, workerBuild } = cargoTools();
  const env = environment({
    // Named here, worker-build takes these instead of downloading its own.
    WASM_BINDGEN_BIN: wasmBindgen.program,
    ESBUILD_BIN: local("esbuild"),
    // A backtrace of worker-build would bury what cargo said.
    RUST_BACKTRACE: "0",
  });
  const args = ["--release", "--out-dir", folder, "--locked", ...(features ? ["--features", features] : [])];
  const code = await run(workerBuild.program, args, { env, log, signal });
  if (code !== 0) throw new Error("The edge worker was not built: the reason is above.");
  await optimise(join(folder, "index_bg.wasm"), "-O", { log, signal });
  putEntry(folder);
}

/** Puts the entry before the module: what worker-build makes would offer every export of the module over RPC. */
function putEntry(folder) {
  renameSync(join(folder, "index.js"), join(folder, "worker.js"));
  cpSync(join(root, "src", "edge", "entry.js"), join(folder, "index.js"));
  for (const name of ["analytics.js", "crossing.js", "redacted.js", "timing.js"]) cpSync(join(root, "src", "edge", name), join(folder, name));
  rmSync(join(folder, "worker"), { recursive: true, force: true }); // an alias of the old index.js
  rmSync(join(folder, "package.json"), { force: true });
}

/** The realm whose people may put another configuration in the place of this one, which was checked; null: nobody may. */
const managedFrom = (configuration) => JSON.parse(configuration).managed_from ?? null;

/**
 * The configuration goes without its tests: they decide nothing, and are nobody's business at the edge. Overwrites in place, because `wrangler dev` watches these files. The stamp goes last: a copy that was cut short
 * does not count.
 */
function publish(folder, document, out, stamp) {
  const configuration = withoutTests(document);
  mkdirSync(out, { recursive: true });
  rmSync(join(out, STAMP), { force: true });
  cpSync(folder, out, { recursive: true, filter: (source) => !source.endsWith(STAMP) });
  writeFileSync(join(out, "configuration.js"), `export const configuration = ${JSON.stringify(configuration)};\nexport const managedFrom = ${JSON.stringify(managedFrom(configuration))};\n`);
  if (stamp) writeFileSync(join(out, STAMP), stamp);
}

function forgetOld() {
  const kept = readdirSync(store).map((name) => join(store, name));
  kept.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const folder of kept.slice(KEPT)) rmSync(folder, { recursive: true, force: true });
}

/**
 * Builds with the configuration at `config`, or with a `document` that was read, into `out`. Does nothing when `out` is that build already.
 * `features`: of the crate, for tests and benchmarks.
 */
export async function buildWorker({ config, document = readDocument(resolve(root, config)), out, features = "", log, signal }) {
  const to = resolve(root, out);
  const configuration = document.text;
  const compiled = inputs(features);
  const stamp = sha256(`${compiled} ${sha256(configuration)}`);
  if (stampOf(to) === stamp) return;
  await withBuildLock(async () => {
    await check(document, { log, signal });
    const kept = join(store, compiled);
    if (stampOf(kept) === compiled) {
      utimesSync(kept, new Date(), new Date());
      return publish(kept, configuration, to, stamp);
    }
    (log ?? ((text) => process.stdout.write(text)))("building the edge worker (a few minutes the first time)\n");
    const fresh = join(store, "new");
    await compile(fresh, { features, log, signal });
    // Edited meanwhile: what was compiled is neither the old input nor surely the new one, so it gets no stamp.
    if (inputs(features) !== compiled) return publish(fresh, configuration, to);
    writeFileSync(join(fresh, STAMP), compiled);
    rmSync(kept, { recursive: true, force: true });
    renameSync(fresh, kept);
    forgetOld();
    publish(kept, configuration, to, stamp);
  });
}
