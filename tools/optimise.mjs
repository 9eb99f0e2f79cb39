// wasm-opt for both artefacts: shrinks a module in place and drops the names of its functions.
import { renameSync } from "node:fs";

import { environment, local } from "./project.mjs";
import { mustRun } from "./run.mjs";

// What rustc and wasm-bindgen emit. Spelled out, so that wasm-opt never writes an encoding that no runtime knows yet.
const FEATURES = [
  "bulk-memory",
  "exception-handling",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
].map((name) => `--enable-${name}`);

// Functions of one module and type stand together, as their names have them: gzip finds what they share. It saves 10 KiB of the worker. The names go after it.
const ORDER = ["--reorder-functions-by-name", "--strip-debug"];

/** `level`: of wasm-opt, such as `-O`. `options`: of `mustRun`. */
export async function optimise(module, level, options = {}) {
  const small = `${module}.small`;
  await mustRun(local("wasm-opt"), [module, "-o", small, level, ...ORDER, ...FEATURES], { env: environment(), ...options });
  renameSync(small, module);
}
