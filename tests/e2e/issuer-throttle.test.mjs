// Guessing: it gets slower, tells nothing, and does not shut out whoever is right.
import assert from "node:assert/strict";
import { test } from "node:test";
import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { PASSWORD, assertError, assertStatus, realmOf, startIssuer, times } from "./support/issuer.mjs";
import { endsWithoutLeaks } from "./support/instance.mjs";
import { remember } from "./support/secrets.mjs";

// What costs nothing: docs/operations.md.
const FREE = 5;
const WRONG = remember("a password", "not the password of anybody");

// The counts of the platform's limit outlive a restart, so it comes first: wrangler.toml's is 300.
const LIMIT = 20;
// Requests of the operator's, who has registered the client: the first admin, and a token.
const BEFORE = 2;
let server = await startIssuer("throttle", { tokenLimit: LIMIT });
let app = realmOf(server, "app");
const legacy = await app.client({ grant_types: ["password"], scope: "orders:read" });
const signIn = (username, password, client = legacy) => app.token({ grant_type: "password", username, password, ...client.who });
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

function assertSlowDown(answer, about) {
  assertError(answer, "temporarily_unavailable", 429, about);
  const wait = Number(answer.headers.get("retry-after"));
  assert.ok(wait >= 1 && wait <= 900, String(wait));
  return wait;
}

test("attack 72: an address that asks too often is 429 before anything else is looked at", async () => {
  const answers = [];
  for (let n = 0; n < 3 * LIMIT; n += 1) answers.push(await app.token({ grant_type: "client_credentials", client_id: legacy.client_id, client_secret: "x" }));
  for (const answer of answers.slice(0, LIMIT - BEFORE)) assertError(answer, "invalid_client");
  // A minute may end among them, and with it the count.
  const slowed = answers.filter(({ status }) => status === 429);
  assert.ok(slowed.length >= LIMIT && slowed.length <= 2 * LIMIT + BEFORE, `${slowed.length} of ${answers.length}`);
  for (const answer of slowed) assert.equal(assertSlowDown(answer), 60);
  await server.stop();
  server = await startIssuer("throttle", { again: true });
  app = realmOf(server, "app");
});

test("attack 72: wrong secrets are slowed down from the seventh on, and the right one passes all the while", async () => {
  const [client, other] = [await app.client(), await app.client()];
  const ask = (client_secret) => app.token({ grant_type: "client_credentials", ...client.who, client_secret });
  for (let n = 0; n <= FREE; n += 1) assertError(await ask(other.client_secret), "invalid_client", 401, `${n}`);
  for (let n = 0; n < 3; n += 1) {
    assertSlowDown(await ask(other.client_secret), `${n}`);
    assertStatus(await ask(client.client_secret), 200);
  }
  for (const where of [app.introspect, app.revoke]) {
    assertSlowDown(await where({ token: "x", ...client.who, client_secret: other.client_secret }));
    assertStatus(await where({ token: "x", ...client.who }), 200);
  }
});

test("attack 72: wrong passwords are slowed down; the right one passes after the wait", async () => {
  const person = await app.user();
  for (let n = 0; n <= FREE; n += 1) assertError(await signIn(person.login, WRONG), "invalid_grant", 400, `${n}`);
  const wait = assertSlowDown(await signIn(person.login, PASSWORD), "unread, whatever it is");
  assertSlowDown(await signIn(person.login, WRONG), "unread");
  await sleep(wait * 1000 + 50);
  assertStatus(await signIn(person.login, PASSWORD), 200);
  assertError(await signIn(person.login, WRONG), "invalid_grant", 400, "the right one forgave all");
  assertStatus(await signIn((await app.user()).login, PASSWORD), 200, "somebody else is not slowed down");
});

test("attack 72: fifty guesses at once are no way around", async () => {
  const person = await app.user();
  const answers = await times(50, () => signIn(person.login, WRONG));
  const read = answers.filter(({ status }) => status === 400);
  assert.ok(read.length > 0 && read.length <= FREE + 2, `${read.length} were read`);
  for (const answer of answers) if (answer.status !== 400) assertSlowDown(answer);
});

test("attack 72: a login that nobody has and a wrong password look alike, also in time", async (context) => {
  const people = await times(15, () => app.user());
  const spent = { wrong: [], unknown: [] };
  const bodies = new Set();
  const note = (kind, answer) => {
    assertError(answer, "invalid_grant");
    bodies.add(answer.text);
    spent[kind].push(answer.ms);
  };
  await signIn("warm-up@example.com", WRONG);
  for (const [at, { login }] of people.entries()) {
    note("wrong", await signIn(login, WRONG));
    note("unknown", await signIn(`nobody-${at}@example.com`, WRONG));
  }
  assert.equal(bodies.size, 1);
  const [wrong, unknown] = [median(spent.wrong), median(spent.unknown)];
  context.diagnostic(`wrong password ${wrong.toFixed(1)} ms, unknown login ${unknown.toFixed(1)} ms (medians of 15)`);
  assert.ok(Math.max(wrong, unknown) / Math.min(wrong, unknown) < 1.5, `${wrong} and ${unknown} ms`);
});

/** Resident memory of the workerd of this instance, in MB; undefined where /proc has none. */
function memory() {
  try {
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
      const stat = read(`/proc/${pid}/stat`);
      // The name in brackets, state, parent, process group.
      const group = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[2]);
      if (group !== server.pid || !stat.includes("(workerd)")) continue;
      return Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))[1]) / 1024;
    }
  } catch {
    return undefined;
  }
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has just ended
  }
}

test("what a password costs: time and memory of Argon2id in workerd", async (context) => {
  const people = await times(10, () => app.user());
  const machine = await app.client();
  const spent = { password: [], secret: [] };
  for (const { login } of people) {
    const right = await signIn(login, PASSWORD);
    assertStatus(right, 200);
    spent.password.push(right.ms);
    spent.secret.push((await app.token({ grant_type: "client_credentials", ...machine.who })).ms);
  }
  const before = memory();
  for (let round = 0; round < 4; round += 1) {
    for (const answer of await Promise.all(people.map(({ login }) => signIn(login, PASSWORD)))) assertStatus(answer, 200);
  }
  const after = memory();
  context.diagnostic(`with a password ${median(spent.password).toFixed(1)} ms, with a secret ${median(spent.secret).toFixed(1)} ms (medians of 10)`);
  if (before === undefined || after === undefined) return context.diagnostic("no /proc here: memory was not measured");
  context.diagnostic(`workerd ${before.toFixed(0)} MB before and ${after.toFixed(0)} MB after 40 sign-ins, ten at a time`);
  // 19 MiB each, which WebAssembly's memory does not give back: ten at once in one isolate would be 190.
  assert.ok(after - before < 100, `${after - before} MB`);
});

endsWithoutLeaks();
