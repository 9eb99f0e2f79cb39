// node tools/build.mjs worker [--config tollgate.json] [--out build] [--features harness]
// node tools/build.mjs browser
import { resolve } from "node:path";
import { parseArgs } from "node:util";

import { buildBrowser } from "./browser.mjs";
import { effectiveDocument } from "./effective.mjs";
import { fail, root } from "./project.mjs";
import { buildWorker } from "./worker.mjs";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { config: { type: "string" }, out: { type: "string" }, features: { type: "string" } },
});

// wrangler runs this command from `[build]` and cannot pass arguments along, so the environment may name both, too.
const config = values.config ?? (process.env.TOLLGATE_CONFIG || "tollgate.json");
const out = values.out ?? (process.env.TOLLGATE_OUT || "build");
// Of a local instance, whose issuers are moved to its port.
const port = process.env.TOLLGATE_PORT;

try {
  const moved = () => (port ? effectiveDocument({ config: resolve(root, config), port }).document : undefined);
  if (positionals[0] === "worker") await buildWorker({ config, document: moved(), out, features: values.features });
  else if (positionals[0] === "browser") await buildBrowser();
  else fail("usage: node tools/build.mjs worker [--config path] [--out dir] | browser");
} catch (error) {
  fail(error.message);
}
