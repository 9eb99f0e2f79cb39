// Compiles the browser package's WebAssembly into pkg/wasm/.
import { rmSync } from "node:fs";
import { join } from "node:path";

import { withBuildLock } from "./lock.mjs";
import { optimise } from "./optimise.mjs";
import { cargoTools, environment, root } from "./project.mjs";
import { mustRun } from "./run.mjs";

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
    await optimise(join(out, "tollgate_bg.wasm"), "-Oz");
  });
}
