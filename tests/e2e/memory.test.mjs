// What one isolate holds after one million distinct valid tokens: the validator alone, in workerd.
import assert from "node:assert/strict";
import { createHmac, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { modulesOf, startWorkerd } from "../../bench/lib/workerd.mjs";
import { root } from "../../tools/project.mjs";
import { buildWorker } from "../../tools/worker.mjs";

const TOKENS = 1_000_000;
const BATCH = 2_000;
// The bound, of the module's memory: all that tollgate itself remembers. It never shrinks, so its end is its peak.
const MIB = 1024 * 1024;
const BOUND = 32 * MIB;
// What may come of a rounding, or of another order of the same pieces, between 100,000 tokens and a million.
const SLACK = MIB;
// The same for the whole process, whose JavaScript is collected when the engine likes.
const PROCESS_SLACK = 64 * MIB;
// Two generations of 5,000 tokens.
const REMEMBERED = 10_000;

const folder = join(root, ".dev-e2e-memory");
const config = join(root, "tests", "e2e", "issuers.json");
const issuer = "https://accounts.example.com";
const audience = "https://api.example.com";
const secret = randomBytes(32);

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const build = join(folder, "build");
// Which configuration is built in makes no difference: another one is loaded.
await buildWorker({ config, out: build, features: "harness", log: (text) => text.startsWith("building ") && process.stderr.write(text) });
const modules = { "main.js": join(root, "tests", "e2e", "support", "validating-worker.mjs"), ...modulesOf(build, "worker.js", "build/") };
const server = await startWorkerd([{ name: "validate", modules }], folder);
after(() => server.stop());

const b64 = (text) => Buffer.from(text).toString("base64url");
const head = b64(JSON.stringify({ alg: "HS256", typ: "at+jwt", kid: "k" }));
const now = Math.floor(Date.now() / 1000);
const scope = "orders:read customers:read locations:read inventory:read products:read shipments:read invoices:read";

/** The `n`th token: of its own subject, client and `jti`. HS256, because it is the fastest to sign. */
function token(n, more = {}) {
  const [sub, jti] = [`user-${n}-4f1c0d0a-8a43-4c40-9d2b`, `${n}-b2a1f0c9-6d0e-4d65-9a52-3f7a5c0e1b77`];
  const claims = { iss: issuer, aud: audience, sub, client_id: `client_${n}`, iat: now - 60, exp: now + 86_400, jti, scope, ...more };
  const input = `${head}.${b64(JSON.stringify(claims))}`;
  return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
}

/** What the process holds of this machine's memory; 0 where the system does not say it this way. */
function resident() {
  const path = `/proc/${server.pid}/status`;
  return existsSync(path) ? Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(path, "utf8"))[1]) * 1024 : 0;
}

const mib = (bytes) => `${(bytes / MIB).toFixed(1)} MiB`;

async function validate(tokens) {
  const { status, text } = await server.ask("validate", "POST", "/validate", { body: tokens.join("\n") });
  assert.equal(status, 200, text);
  const answer = JSON.parse(text);
  assert.equal(answer.valid, tokens.length);
  assert.ok(answer.remembered <= REMEMBERED, `${answer.remembered} tokens are remembered`);
  return answer;
}

test("the validator takes a configuration with one issuer", async () => {
  const issuers = [{ issuer, audiences: [audience], algorithms: ["HS256"], jwks: { keys: [{ kty: "oct", kid: "k", k: b64(secret) }] } }];
  const routes = [{ id: "orders", methods: ["GET"], path: "/orders", require: { scopes: ["orders:read"], issuers: [issuer] }, to: { service: "ORIGIN" } }];
  const document = { issuers, scopes: { "orders:read": { description: "Read orders." } }, routes };
  const { status, text } = await server.ask("validate", "POST", "/load", { body: JSON.stringify(document) });
  assert.equal(status, 200, text);
});

test(`one million distinct valid tokens leave one isolate below ${mib(BOUND)}`, async (t) => {
  const start = performance.now();
  const seen = new Map();
  const marks = new Set([10_000, 100_000, TOKENS]);
  const batch = (from) => Array.from({ length: BATCH }, (_, n) => token(from + n));
  let tokens = batch(0);
  for (let done = BATCH; done <= TOKENS; done += BATCH) {
    const pending = validate(tokens);
    // Signed while the others are checked.
    tokens = done < TOKENS ? batch(done) : [];
    const answer = await pending;
    if (!marks.has(done)) continue;
    const marked = { memory: answer.memory, process: resident() };
    seen.set(done, marked);
    t.diagnostic(`${done} tokens: ${mib(marked.memory)} of the module, ${mib(marked.process)} of the process, ${((performance.now() - start) / 1000).toFixed(1)} s`);
  }
  for (const [count, { memory }] of seen) assert.ok(memory < BOUND, `${mib(memory)} after ${count}`);
  const [early, late] = [seen.get(100_000), seen.get(TOKENS)];
  assert.ok(late.memory - early.memory <= SLACK, `${mib(late.memory - early.memory)} more of the module`);
  assert.ok(late.process - early.process <= PROCESS_SLACK, `${mib(late.process - early.process)} more of the process`);
});

test("tokens as large as tokens may be stay below the same bound", async (t) => {
  // Roles are kept, and the shorter they are, the more it takes to keep them.
  const roles = Array(2_700).fill("r");
  let answer;
  for (let n = 0; n < 4_000; n += 100) {
    answer = await validate(Array.from({ length: 100 }, (_, at) => token(TOKENS + n + at, { roles })));
    assert.ok(answer.memory < BOUND, `${mib(answer.memory)} after ${n}`);
  }
  t.diagnostic(`4000 tokens of ${token(0, { roles }).length} characters: ${mib(answer.memory)}, ${answer.remembered} remembered`);
});
