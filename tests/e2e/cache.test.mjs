// A Cache API that takes every question and answers none: it is there to save time, and may not cost much of it.
// In plain workerd, because `wrangler dev` always has a cache that works.
import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { gatewayServices, newBootstrap } from "../../bench/lib/tollgate.mjs";
import { startWorkerd } from "../../bench/lib/workerd.mjs";
import { root } from "../../tools/project.mjs";
import { buildWorker } from "../../tools/worker.mjs";
import { issuerOf, keySet, makeKey, tokenOf } from "./support/issuers.mjs";

const workers = join(root, "bench", "workers");
const folder = join(root, ".dev-e2e-cache");
const key = makeKey("a");
/** What `src/edge/web.rs` waits for one call, twice: it reads, and it writes. Rest: for the machine. */
const LONGEST = 3_000;

/** Serves on a port of its own until the file is through; `host:port`, and what it was asked. */
async function serve(page) {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    request.resume().once("end", () => void page("", response));
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { asked, address: `127.0.0.1:${server.address().port}` };
}

const issuers = await serve(keySet([key]));
const cache = await serve(() => {});
let workerd;
before(async () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const build = join(folder, "build");
  await buildWorker({ config: join(root, "tests", "e2e", "issuers.json"), out: build, log: (text) => text.startsWith("building ") && process.stderr.write(text) });
  const [gate, kv] = gatewayServices(build, join(workers, "kv.mjs"), newBootstrap());
  workerd = await startWorkerd(
    [
      // Whatever address the configuration names: all that is fetched goes to the one server.
      { ...gate, fetches: "issuers", caches: "cache" },
      kv,
      { name: "upstream", modules: { "worker.js": join(workers, "upstream.mjs") }, socket: false },
      { name: "issuers", address: issuers.address },
      { name: "cache", address: cache.address },
    ],
    folder,
  );
});
after(() => workerd?.stop());

const ask = (name, token) => workerd.ask("tollgate", "GET", `/echo/${name}`, { headers: { authorization: `Bearer ${token}` } });

test("a cache that hangs holds up the first token of an issuer for a short time, and no other", { timeout: 30_000 }, async (t) => {
  const first = await ask("good", tokenOf("good", key));
  assert.equal(first.status, 200, first.text);
  t.diagnostic(`the first took ${Math.round(first.ms)} ms; the cache was asked ${cache.asked.join(", ")}`);
  assert.ok(first.ms < LONGEST, `${first.ms} ms`);
  assert.ok(first.ms > 900, `the cache was waited for: ${first.ms} ms`);
  assert.deepEqual(cache.asked.map((request) => request.split(" ")[0]), ["GET", "PUT"]);
  assert.deepEqual(issuers.asked, ["GET /good/jwks"]);
  const questions = cache.asked.length;
  const second = await ask("good", tokenOf("good", key, { sub: "another" }));
  assert.equal(second.status, 200, second.text);
  assert.ok(second.ms < 500, `${second.ms} ms`);
  assert.equal(cache.asked.length, questions);
});

test("many first tokens at once wait for the cache together", { timeout: 30_000 }, async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => fetchFrom("burst", tokenOf("burst", key, { sub: `${n}` }))));
  for (const { status, ms } of answers) assert.ok(status === 200 && ms < LONGEST, `${status} after ${ms} ms`);
  assert.deepEqual(issuers.asked.filter((request) => request.includes("burst")), ["GET /burst/jwks"]);
});

/** Beside others: `workerd.ask` has one connection. */
async function fetchFrom(name, token) {
  const start = performance.now();
  const response = await fetch(workerd.url("tollgate", `/echo/${name}`), { headers: { authorization: `Bearer ${token}` } });
  await response.arrayBuffer();
  return { status: response.status, ms: performance.now() - start };
}
