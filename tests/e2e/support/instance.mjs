// The instance that a test file runs against: one at a time, on the port that the issuers in tollgate.json name.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { root } from "../../../tools/project.mjs";
import { startServer } from "../../../tools/server.mjs";
import { readAssignments } from "../../../tools/settings.mjs";
import { assertNothingLeaked, openKeyrings, remember } from "./secrets.mjs";

export const PORT = 8791;
export const URL_HERE = `http://127.0.0.1:${PORT}`;
const CONFIG = "tests/e2e/tollgate.json";

// The most that wrangler says, and unshortened: the last test of each file looks for secrets in it.
process.env.WRANGLER_LOG = "debug";
process.env.WRANGLER_LOG_SANITIZE = "false";

const printed = [];
let current;

/** Starts an instance in `.dev-e2e-<name>`; `again` continues with the state that is there. */
export async function startInstance(name, options = {}) {
  const { again = false, seedDemo = false, port = PORT, config = CONFIG, secrets = {}, features, bindings, tokenLimit, signal } = options;
  const devDir = `.dev-e2e-${name}`;
  if (!again) rmSync(join(root, devDir), { recursive: true, force: true });
  const from = printed.length;
  const log = (text) => {
    printed.push(text);
    // The one thing that may take minutes.
    if (text.startsWith("building ")) process.stderr.write(text);
  };
  try {
    current = await startServer({ port, config, devDir, secrets, seedDemo, features, bindings, tokenLimit, signal, log });
  } catch (error) {
    error.message += `\n${printed.slice(from).join("")}`;
    throw error;
  }
  const { TOLLGATE_KEK: kek } = readAssignments(join(current.folder, "vars"));
  remember("the bootstrap token", current.bootstrapToken);
  for (const [secret, value] of Object.entries(secrets)) remember(secret, value);
  remember("the key-encryption key", kek);
  if (current.env) remember("the demo client's secret", current.env.TOLLGATE_CLIENT_SECRET);
  current.openKeyrings = () => openKeyrings(current.folder, kek, Object.keys(current.realms));
  return current;
}

/** Asserts that an instance tells its operator something: what it prints comes by several processes, after its answer has. */
export async function assertTold(server, what) {
  const end = Date.now() + 5000;
  while (!what.test(server.output()) && Date.now() < end) await sleep(50);
  assert.match(server.output(), what, "the operator is told");
}

/** The last test of a file: stops the instance and searches everything that the run left. */
export function endsWithoutLeaks() {
  after(() => current.stop());
  test("no output at any level and nothing stored holds a secret, a token or a private key", async () => {
    await current.stop();
    current.openKeyrings(); // so that their private parts are looked for, too
    assertNothingLeaked({ folder: current.folder, printed: printed.join("") });
  });
}
