// Bundles the worker as a deployment would, without deploying, and holds its size under the limit.
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { environment, local, node } from "./project.mjs";
import { run } from "./run.mjs";

// The project's own promise, far below the platform's limit: a small worker starts fast.
const LIMIT = 1024 * 1024;

const folder = mkdtempSync(join(tmpdir(), "tollgate-size-"));
try {
  let output = "";
  const env = environment({ WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", WRANGLER_LOG_PATH: join(folder, "logs") });
  const bundle = join(folder, "bundle");
  const code = await run(node(), [local("wrangler"), "deploy", "--dry-run", "--outdir", bundle], { env, log: (text) => (output += text) });
  if (code !== 0) throw new Error(`${output}\n\`wrangler deploy --dry-run\` failed with code ${code}.`);
  // Source maps and the note that wrangler adds are not uploaded.
  const names = readdirSync(bundle).filter((name) => /\.(js|mjs|wasm)$/.test(name));
  const bytes = names.reduce((sum, name) => sum + gzipSync(readFileSync(join(bundle, name)), { level: 9 }).length, 0);
  const theirs = /Total Upload:.*/.exec(output)?.[0] ?? "wrangler printed no size";
  process.stdout.write(`worker: ${bytes} bytes with gzip (${(bytes / 1024).toFixed(1)} KiB of ${LIMIT / 1024}); ${theirs}\n`);
  if (bytes > LIMIT) throw new Error(`The worker is ${bytes - LIMIT} bytes over the limit of ${LIMIT}.`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
