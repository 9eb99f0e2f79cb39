// One key per realm, whatever happens: a race for the first one, a power cut, a wrong key-encryption key.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createRemoteJWKSet, decodeProtectedHeader } from "jose";
import * as oauth from "oauth4webapi";

import { node } from "../../tools/project.mjs";
import { accessToken, assertInvalidToken, assertPassed, call, grant, register, tokenRequest } from "./support/client.mjs";
import { URL_HERE, assertTold, endsWithoutLeaks, startInstance } from "./support/instance.mjs";

const TARGET = `${URL_HERE}/echo/fresh/x`;

let server = await startInstance("keys");
const client = await register(server, "fresh", { grants: ["client_credentials", "refresh_token"] });
let first; // a token of the race, used to the end

async function publishedKeys() {
  const set = createRemoteJWKSet(new URL(client.as.jwks_uri));
  await set.reload();
  return set.jwks().keys;
}

test("must hold 4: fifty first requests to a realm at once end with one key", async () => {
  const race = Array.from({ length: 50 }, (_, at) => (at % 2 === 0 ? grant(client) : publishedKeys()));
  const results = await Promise.all(race);
  const tokens = results.filter((_, at) => at % 2 === 0).map((answer) => answer.access_token);
  const sets = results.filter((_, at) => at % 2 === 1);
  const [key] = await publishedKeys();
  assert.deepEqual(new Set(tokens.map((token) => decodeProtectedHeader(token).kid)), new Set([key.kid]));
  for (const keys of sets) assert.deepEqual(keys, [key]);
  assert.equal(new Set(tokens).size, 25);
  for (const token of tokens) assertPassed(await call(token, TARGET));
  first = tokens[0];
});

test("must hold 4: after a power cut clients, keys and sessions are still there", async () => {
  const before = await publishedKeys();
  const brief = await accessToken(await register(server, "brief"));
  assertPassed(await call(brief, `${URL_HERE}/echo/brief/x`));
  await server.kill();
  server = await startInstance("keys", { again: true });
  assertPassed(await call(first, TARGET));
  assert.deepEqual(await publishedKeys(), before);
  const again = await accessToken(client);
  assert.equal(decodeProtectedHeader(again).kid, before[0].kid);
  assertPassed(await call(again, TARGET));
  // Its idle time passed while nothing ran, or passes now: a restart wakes no session.
  await new Promise((resolve) => setTimeout(resolve, 6500));
  assertInvalidToken(await call(brief, `${URL_HERE}/echo/brief/x`));
});

test("with wrong secrets nothing is signed or registered, the answer is 503 or 401, and no second key is made", async () => {
  const before = await publishedKeys();
  await server.stop();
  const vars = join(server.folder, "vars");
  const good = readFileSync(vars, "utf8");
  const wrong = Buffer.alloc(32, 9).toString("base64url");
  // A bootstrap token that could be guessed is none, so nobody may be the first, not even with it.
  const bad = good.replace(/^TOLLGATE_KEK=.*$/m, `TOLLGATE_KEK=${wrong}`).replace(/^(TOLLGATE_BOOTSTRAP_TOKEN)=.*$/m, "$1=tgb_guessable");
  writeFileSync(vars, bad);
  try {
    server = await startInstance("keys", { again: true });
    const refused = await tokenRequest(client);
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get("retry-after"), "5");
    assert.equal(refused.headers.get("cache-control"), "no-store");
    assert.doesNotMatch(await refused.text(), /KEK|key/i);
    assertPassed(await call(first, TARGET), "what was issued still verifies");
    assert.deepEqual(await publishedKeys(), before);
    assert.equal(server.bootstrapToken, "tgb_guessable");
    const eve = { login: "eve@example.com", password: "a long password" };
    const headers = { authorization: `Bearer ${server.bootstrapToken}`, "content-type": "application/json" };
    const nobody = await fetch(`${server.realms.fresh}/api/v1/bootstrap`, { method: "POST", headers, body: JSON.stringify(eve) });
    assert.equal(nobody.status, 401);
    await assertTold(server, /"op":"read bootstrap token"/);
  } finally {
    await server.stop();
    writeFileSync(vars, good);
    server = await startInstance("keys", { again: true });
  }
  const again = await accessToken(client, { auth: oauth.ClientSecretPost(client.client_secret) });
  assert.equal(decodeProtectedHeader(again).kid, before[0].kid);
});

/** Puts a keyring's tables back to those of version 0.1.0. Needs a newer Node than the tests do. */
function putBack(database) {
  const script = `
    const { DatabaseSync } = require("node:sqlite");
    const database = new DatabaseSync(${JSON.stringify(database)});
    database.exec(\`
      CREATE TABLE signing_key (
        kid TEXT PRIMARY KEY, key TEXT NOT NULL, created_at INTEGER NOT NULL, published INTEGER NOT NULL DEFAULT 0
      ) WITHOUT ROWID;
      INSERT INTO signing_key SELECT kid, key, json_extract(state, '$.since'), 1 FROM realm_key;
      DROP TABLE realm_key;
      DROP TABLE keyring;
    \`);
    database.close();`;
  execFileSync(node(), ["--no-warnings", "-e", script]);
}

test("a keyring of version 0.1.0 is taken over: the same key signs, and rotates", async () => {
  const before = await publishedKeys();
  await server.stop();
  const folder = join(server.folder, "state", "v3", "do", "tollgate-KeyringDo");
  for (const name of readdirSync(folder)) if (/^[0-9a-f]+\.sqlite$/.test(name)) putBack(join(folder, name));
  server = await startInstance("keys", { again: true });
  const again = await accessToken(client);
  assert.equal(decodeProtectedHeader(again).kid, before[0].kid);
  assertPassed(await call(again, TARGET));
  assertPassed(await call(first, TARGET));
  const headers = { authorization: `Bearer ${await server.operators.token("fresh")}` };
  const rotated = await fetch(`${server.realms.fresh}/api/v1/keys/rotate`, { method: "POST", headers });
  assert.equal(rotated.status, 202);
  const { keys } = await rotated.json();
  assert.deepEqual(keys.map(({ kid, state }) => [kid === before[0].kid, state]), [[true, "active"], [false, "staged"]]);
});

test("the private key rests sealed, and opens under the key-encryption key in its own realm", () => {
  const keys = server.openKeyrings().filter(({ realm }) => realm === "fresh");
  assert.equal(keys.length, 2, "the one that signs, and the one that is to follow");
  const key = keys.find(({ kid }) => kid === decodeProtectedHeader(first).kid);
  assert.equal(key.privateKey.asymmetricKeyDetails.namedCurve, "prime256v1");
});

endsWithoutLeaks();
