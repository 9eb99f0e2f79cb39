// Compiles the browser package's WebAssembly into pkg/wasm/.
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";

import { withBuildLock } from "./lock.mjs";
import { cargoTools, environment, local, root } from "./project.mjs";
import { mustRun } from "./run.mjs";

// What rustc and wasm-bindgen emit. Spelled out, so that wasm-opt never writes an encoding that browsers do not know yet.
const FEATURES = [
  "bulk-memory",
  "exception-handling",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
].map((name) => `--enable-${name}`);

export async function buildBrowser() {
  const out = join(root, "pkg", "wasm");
  const target = "wasm32-unknown-unknown";
  const env = environment();
  await withBuildLock(async () => {
    rmSync(out, { recursive: true, force: true });
    const args = ["build", "--release", "--lib", "--locked", "--target", target, "--no-default-features", "--features", "browser"];
    await mustRun("cargo", args, { env });
    const compiled = join(process.env.CARGO_TARGET_DIR ?? join(root, "target"), target, "release", "tollgate.wasm");
    const bind = ["--target", "web", "--out-dir", out, "--out-name", "tollgate"];
    // The types are written by hand in pkg/index.d.ts.
    const lean = ["--no-typescript", "--remove-name-section", "--remove-producers-section"];
    await mustRun(cargoTools().wasmBindgen.program, [compiled, ...bind, ...lean], { env });
    const [module, small] = [join(out, "tollgate_bg.wasm"), join(out, "small.wasm")];
    await mustRun(local("wasm-opt"), [module, "-o", small, "-Oz", ...FEATURES], { env });
    renameSync(small, module);
  });
}
