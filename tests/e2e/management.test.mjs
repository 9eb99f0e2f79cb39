// Application credentials by the API alone: made, used, watched, renewed, taken back. And lists that stay usable.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeJwt } from "jose";

import { node } from "../../tools/project.mjs";
import { ask, assertStatus, seconds } from "./support/issuer.mjs";
import { endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { Person } from "./support/person.mjs";
import { remember } from "./support/secrets.mjs";

// management.json names it.
const PORT = 8805;
const GRAIN = 1000;
const IDLE = 8000;
const PASSWORD = remember("a password", "correct horse battery staple");

const startManagement = (options) => startInstance("management", { port: PORT, config: "tests/e2e/management.json", ...options });
let server = await startManagement();
const at = (realm, path) => `${server.realms[realm]}/api/v1${path}`;

/** Calls of the API with a token that is got anew for each: in this realm everything falls idle soon. */
const by = (realm, token) => async (method, path, json, headers) => ask(at(realm, path), { method, bearer: await token(), json, headers });
const admin = (realm) => by(realm, () => server.operators.token(realm));

/** A person, and the calls of an application that acts for them with these scopes. */
async function person(realm, login, roles, scope = "credentials:manage sessions:manage audit:read") {
  const user = assertStatus(await admin(realm)("POST", "/users", { login, password: PASSWORD, roles }), 201);
  const metadata = { client_name: "Console of tests", scope, grant_types: ["password"], token_endpoint_auth_method: "client_secret_post" };
  const { client_id, client_secret } = assertStatus(await admin(realm)("POST", "/clients", metadata), 201);
  const grant = { grant_type: "password", username: login, password: PASSWORD, client_id, client_secret };
  const token = async () => assertStatus(await ask(`${server.realms[realm]}/oauth/token`, { form: grant }), 200).access_token;
  return { ...user, token, call: by(realm, token) };
}

/** As the documentation says it: form fields, at the other spelling of the path. */
const tokenOf = ({ client_id, client_secret }, realm = "test") =>
  ask(`${server.realms[realm]}/OAuth/Token`, { form: { grant_type: "client_credentials", client_id, client_secret } });
const tokenFor = async (who, realm) => assertStatus(await tokenOf(who, realm), 200).access_token;
const calls = async (token) => (await ask(`${server.url}/orders`, { method: "GET", bearer: token })).status;

async function untilRefused(token, most) {
  for (const end = Date.now() + most; Date.now() < end; await sleep(50)) if ((await calls(token)) === 401) return;
  assert.fail("still accepted");
}

test("a credential's whole life, by an application's token with credentials:manage", async () => {
  const ada = await person("test", "ada@example.com", ["agent", "builder"]);
  const made = await ada.call("POST", "/credentials", {
    name: "Nightly sync",
    expires_at: seconds() + 86_400,
    roles: ["agent", "builder"],
    scope: "orders:read",
  });
  const sync = assertStatus(made, 201);
  const path = `/credentials/${sync.client_id}`;
  assert.equal(made.headers.get("location"), at("test", path));
  assert.match(sync.client_secret, /^tgs_/);
  const seen = async () => assertStatus(await ada.call("GET", path), 200);
  assert.equal((await seen()).client_secret, undefined, "shown once");

  // Used from two places: two live sessions.
  const [here, there] = [await tokenFor(sync), await tokenFor(sync)];
  assert.deepEqual(decodeJwt(here).roles, ["agent", "builder"]);
  assert.equal(decodeJwt(here).sub, ada.id);
  assert.deepEqual([await calls(here), await calls(there)], [200, 200]);
  for (let tries = 0; (await seen()).live_sessions !== 2 && tries < 40; tries += 1) await sleep(100);
  assert.equal((await seen()).live_sessions, 2);

  // Past the idle time: 401, and a new token is one request away.
  await sleep(IDLE + 2 * GRAIN + 500);
  assert.deepEqual([await calls(here), await calls(there)], [401, 401]);
  const watched = await seen();
  assert.equal(watched.live_sessions, 0);
  assert.deepEqual(watched.usage.map(({ route, count }) => [route, count >= 2]), [["orders", true]], "which routes it called");
  assert.ok(watched.last_used_at >= sync.created_at);
  const next = await tokenFor(sync);
  assert.equal(await calls(next), 200);

  // An admin takes a role away: the live token ends, and the next one lacks it.
  assertStatus(await admin("test")("PATCH", `/users/${ada.id}`, { roles: ["agent"] }), 200);
  await untilRefused(next, 2 * GRAIN + 1000);
  assert.deepEqual(decodeJwt(await tokenFor(sync)).roles, ["agent"]);
  assert.deepEqual((await seen()).roles, ["agent"]);

  // Another secret: with an overlap both count, without one the old one is over.
  const second = assertStatus(await ada.call("POST", `${path}/secret`, { overlap_seconds: 3600 }), 200);
  assert.deepEqual([(await tokenOf(sync)).status, (await tokenOf(second)).status], [200, 200]);
  const third = assertStatus(await ada.call("POST", `${path}/secret`, { overlap_seconds: 0 }), 200);
  assert.deepEqual([(await tokenOf(sync)).status, (await tokenOf(second)).status, (await tokenOf(third)).status], [401, 401, 200]);

  // Deleted: nothing of it counts any more.
  const last = await tokenFor(third);
  assert.equal(await calls(last), 200);
  assertStatus(await ada.call("DELETE", path), 204);
  assert.equal((await tokenOf(third)).status, 401);
  await untilRefused(last, 2 * GRAIN + 1000);
  const told = assertStatus(await ada.call("GET", "/audit"), 200).items.map(({ action }) => action);
  for (const action of ["credential.create", "credential.new_secret", "credential.delete", "user.change"]) assert.ok(told.includes(action), action);
});

test("the same creation again, at the same moment too, makes one credential with one secret", async () => {
  const grace = await person("test", "grace@example.com", ["agent"]);
  const json = { name: "Once", expires_at: seconds() + 3600, roles: [] };
  const headers = { "idempotency-key": crypto.randomUUID() };
  const all = await Promise.all(Array.from({ length: 8 }, () => grace.call("POST", "/credentials", json, headers)));
  const bodies = all.map((answer) => assertStatus(answer, 201));
  assert.equal(new Set(bodies.map(({ client_id, client_secret }) => `${client_id} ${client_secret}`)).size, 1);
  assert.equal(assertStatus(await grace.call("GET", "/credentials"), 200).items.length, 1);
  assertStatus(await tokenOf(bodies[0]), 200);
});

test("of two admins who change the same person at the same moment one gets 412, and nothing is lost", async () => {
  const joan = await person("test", "joan@example.com", ["agent"]);
  const read = await admin("test")("GET", `/users/${joan.id}`);
  const headers = { "if-match": read.headers.get("etag") };
  const changes = [{ roles: ["lead"] }, { profile: { name: "Joan" } }];
  const answers = await Promise.all(changes.map((json) => admin("test")("PATCH", `/users/${joan.id}`, json, headers)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 412]);
  const won = answers.findIndex(({ status }) => status === 200);
  const now = assertStatus(await admin("test")("GET", `/users/${joan.id}`), 200);
  assert.deepEqual([now.roles, now.profile.name], won === 0 ? [["lead"], undefined] : [["agent"], "Joan"]);
});

test("the bootstrap token opens nothing after its one use", async () => {
  await server.operators.token("large");
  for (const path of ["/users", "/clients", "/audit"]) {
    assert.equal((await ask(at("large", path), { method: "GET", bearer: server.bootstrapToken })).status, 401);
  }
  const again = await ask(at("large", "/bootstrap"), { bearer: server.bootstrapToken, json: { login: "eve@example.com", password: PASSWORD } });
  assert.equal(again.status, 409);
});

const ROWS = 10_000;

/** Puts so many more rows beside those of the directory that has one like `id`: copies of it, each with a number of its own. Needs a newer Node than the tests do. */
function crowd(list, id, login) {
  const script = `
    const { DatabaseSync } = require("node:sqlite");
    const { readdirSync } = require("node:fs");
    const { join } = require("node:path");
    const folder = ${JSON.stringify(join(server.folder, "state", "v3", "do", "tollgate-DirectoryDo"))};
    let done = 0;
    for (const name of readdirSync(folder).filter((name) => /^[0-9a-f]+\\.sqlite$/.test(name))) {
      const database = new DatabaseSync(join(folder, name));
      const row = database.prepare("SELECT * FROM entry WHERE list = ? AND id = ?").get(${JSON.stringify(list)}, ${JSON.stringify(id)});
      if (row) {
        const names = Object.keys(row);
        const insert = database.prepare(\`INSERT INTO entry (\${names.join(", ")}) VALUES (\${names.map(() => "?").join(", ")})\`);
        database.exec("BEGIN");
        for (let number = 0; number < ${ROWS}; number += 1) {
          const other = (text) => (typeof text === "string" ? text.replaceAll(${JSON.stringify(login)}, "p" + number + "@example.com").replaceAll(row.id, row.id.slice(0, 16) + String(number).padStart(6, "0")) : text);
          const copy = { ...row, id: other(row.id), sort: other(row.sort), words: other(row.words), value: other(row.value) };
          insert.run(...names.map((name) => copy[name]));
        }
        database.exec("COMMIT");
        done += 1;
      }
      database.close();
    }
    if (done !== 1) throw new Error("in " + done + " directories");`;
  execFileSync(node(), ["--no-warnings", "-e", script]);
}

/** Milliseconds until the first byte, the median of some. */
async function firstByte(url, headers) {
  const times = [];
  for (let round = 0; round < 25; round += 1) {
    const start = performance.now();
    const response = await fetch(url, { headers, redirect: "manual" });
    times.push(performance.now() - start);
    assert.equal(response.status, 200);
    await response.arrayBuffer();
  }
  return times.sort((a, b) => a - b)[12];
}

test("lists of 10,000 people and credentials are as quick as those of ten, and can be searched", async (context) => {
  for (let at = 0; at < 10; at += 1) {
    const login = `few-${at}@example.com`;
    const few = await person("test", login, [], "credentials:manage");
    assertStatus(await few.call("POST", "/credentials", { name: login, expires_at: seconds() + 3600 }), 201);
  }
  const one = await person("large", "one@example.com", [], "credentials:manage");
  const job = assertStatus(await one.call("POST", "/credentials", { name: "one@example.com", expires_at: seconds() + 3600 }), 201);
  await server.stop();
  crowd("user", one.id, "one@example.com");
  crowd("credential", job.client_id, "one@example.com");
  server = await startManagement({ again: true });

  const isQuick = (list, quick, long) => {
    context.diagnostic(`${list}: ${quick.toFixed(1)} ms with few rows, ${long.toFixed(1)} ms with many`);
    assert.ok(long <= 3 * quick + 1, `${list}: ${long} ms, ${quick} ms with few`);
  };
  const asked = async (realm, list) => firstByte(at(realm, list), { authorization: `Bearer ${await server.operators.token(realm)}` });
  for (const list of ["/users?limit=10", "/credentials?limit=10"]) isQuick(list, await asked("test", list), await asked("large", list));
  const operator = admin("large");
  const found = assertStatus(await operator("GET", "/users?search=P7777@"), 200).items;
  assert.deepEqual(found.map(({ login }) => login), ["p7777@example.com"]);
  const jobs = assertStatus(await operator("GET", "/credentials?search=p4919@"), 200).items;
  assert.deepEqual(jobs.map(({ name }) => name), ["p4919@example.com"]);
  const seen = new Set();
  let cursor = "";
  do {
    const page = assertStatus(await operator("GET", `/users?limit=200&cursor=${cursor}`), 200);
    for (const { id } of page.items) seen.add(id);
    cursor = page.next;
  } while (cursor);
  assert.equal(seen.size, ROWS + 2, "and the one that they are copies of, and the first admin");

  // The same as the pages of the console, which somebody has open who manages all of it.
  const people = {};
  for (const realm of ["test", "large"]) {
    const { login, password } = await server.operators.admin(realm);
    people[realm] = new Person(login, remember("a password", password));
  }
  const pageOf = (realm, path) => `${server.realms[realm]}/console${path}`;
  const rowsOf = async (realm, path) => {
    const page = await people[realm].open(pageOf(realm, path));
    assertStatus(page, 200, path);
    return [...page.text.matchAll(/<th scope="row"[^>]*>.*?<\/tr>/g)].map(([row]) => row);
  };
  const looked = async (realm, path) => firstByte(pageOf(realm, path), { cookie: people[realm].cookie });
  for (const [list, rows] of [["/people", 50], ["/credentials", 25]]) {
    assert.deepEqual([(await rowsOf("test", list)).length < 20, (await rowsOf("large", list)).length], [true, rows], list);
    isQuick(`/console${list}`, await looked("test", list), await looked("large", list));
  }
  for (const [list, login] of [["/people", "p7777@example.com"], ["/credentials", "p4919@example.com"]]) {
    const rows = await rowsOf("large", `${list}?search=${login.toUpperCase().slice(0, 6)}`);
    assert.equal(rows.length, 1, list);
    assert.ok(rows[0].includes(login), rows[0]);
  }
});

endsWithoutLeaks();
