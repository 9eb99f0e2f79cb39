// Another configuration while the deployment runs: at once where it is put, at others when they look, and after a restart.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { root } from "../../tools/project.mjs";
import { endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { ask, assertStatus } from "./support/issuer.mjs";

// configuration.json names it.
const PORT = 8821;
const HERE = `http://127.0.0.1:${PORT}`;
const start = (options) => startInstance("configuration", { port: PORT, config: "tests/e2e/configuration.json", ...options });
let server = await start();

const deployed = readFileSync(join(root, "tests/e2e/configuration.json"), "utf8");
const moved = deployed.replace('"/health"', '"/healthier"').replace('"id": "health"', '"id": "healthier"');
const api = async (method, path, { body, headers } = {}) =>
  ask(`${HERE}/test/api/v1/config${path}`, { method, bearer: await server.operators.token("test"), body, headers: { "content-type": "application/json", ...headers } });
const status = async (path) => (await fetch(`${HERE}${path}`)).status;

test("a document that is put counts with the next request, and what was before it does not", async () => {
  assert.deepEqual([await status("/health"), await status("/healthier")], [200, 404]);
  const put = assertStatus(await api("PUT", "", { body: moved }), 200);
  assert.equal(put.version, 1);
  // The example upstream has no such path: the gate lets it through all the same, and denies the old one itself.
  assert.equal((await fetch(`${HERE}/health`)).headers.get("content-type"), "application/problem+json");
  assert.equal(await status("/health"), 404);
  const now = await api("GET", "");
  assert.equal(now.text, moved);
});

test("a document that is not good changes nothing", async () => {
  const refused = await api("PUT", "", { body: moved.replace('"test": {', '"test": { "idle_secs": 5,') });
  assert.equal(refused.status, 422);
  assert.equal(refused.body.errors[0].path, "realms.test.idle_secs");
  assert.equal(await status("/health"), 404);
});

test("it counts after a restart, from the first request on", async () => {
  await server.stop();
  server = await start({ again: true });
  assert.equal(await status("/health"), 404);
  assertStatus(await api("GET", "/versions"), 200);
});

test("what was deployed comes back by putting it again, and so does the version after it", async () => {
  assertStatus(await api("PUT", "", { body: deployed }), 200);
  assert.equal(await status("/health"), 200);
  assertStatus(await api("POST", "/versions/1/restore", { body: "{}" }), 200);
  assert.equal(await status("/health"), 404);
});

endsWithoutLeaks();
