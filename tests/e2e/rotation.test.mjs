// Keys that change while tokens are issued and used: nothing valid is refused, and nothing is signed by a key that somebody may lack.
// Takes 110 seconds: a new key may sign after 70, an old one verifies for 25 more.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from "jose";

import { accessToken, assertInvalidToken, assertPassed, call, grant, register } from "./support/client.mjs";
import { forgeText, seconds } from "./support/forge.mjs";
import { assertTold, endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { rememberToken } from "./support/secrets.mjs";

// rotation.json names it.
const PORT = 8801;
// What follows from its `jwks_seconds` and `access_token_seconds`: docs/guarantees.md.
const [FRESH, LIVES, SPREAD, OVERLAP] = [5, 10, 70, 25];

const server = await startInstance("rotation", { port: PORT, config: "tests/e2e/rotation.json" });
const target = (realm) => `${server.url}/echo/${realm}/x`;

async function manage(realm, what = "", { method = what ? "POST" : "GET", token } = {}) {
  const bearer = token ?? (await server.operators.token(realm));
  const response = await fetch(`${server.realms[realm]}/api/v1/keys${what}`, { method, headers: { authorization: `Bearer ${bearer}` } });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const list = async (realm) => (await manage(realm)).body.keys;
const inState = (keys, state) => keys.find((key) => key.state === state);

async function until(about, found, patience = 10_000) {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(50)) {
    const value = await found();
    if (value) return value;
  }
  throw new Error(`${about} did not come`);
}

async function publishedKids(realm) {
  const response = await fetch(`${server.realms[realm]}/jwks`);
  assert.equal(response.status, 200);
  return { kids: (await response.json()).keys.map((key) => key.kid), maxAge: Number(/max-age=(\d+)/.exec(response.headers.get("cache-control"))[1]) };
}

for (const [realm, alg] of [["es256", "ES256"], ["eddsa", "EdDSA"], ["rs256", "RS256"], ["ps256", "PS256"], ["ml-dsa-65", "ML-DSA-65"]]) {
  test(`${alg}: a realm signs with it, its tokens pass here, and others verify them with its key set`, async (context) => {
    const client = await register(server, realm);
    const timed = async () => {
      const from = performance.now();
      const token = await accessToken(client);
      return [token, performance.now() - from];
    };
    const [token, first] = await timed();
    const later = [];
    for (let n = 0; n < 20; n += 1) later.push((await timed())[1]);
    context.diagnostic(`a key made and a token ${first.toFixed(1)} ms; then a token ${later.sort((a, b) => a - b)[10].toFixed(1)} ms (median of 20)`);
    assert.equal(decodeProtectedHeader(token).alg, alg);
    assertPassed(await call(token, target(realm)));
    const [header, payload, signature] = token.split(".");
    const changed = Buffer.from(signature, "base64url");
    changed[7] ^= 1;
    assertInvalidToken(await call([header, payload, changed.toString("base64url")].join("."), target(realm)));
    const set = createRemoteJWKSet(new URL(client.as.jwks_uri));
    const options = { issuer: server.realms[realm], audience: server.url, algorithms: [alg], typ: "at+jwt" };
    try {
      assert.equal((await jwtVerify(token, set, options)).payload.client_id, client.client_id);
    } catch (error) {
      // The engine below jose lacks ML-DSA in older versions of Node.
      assert.ok(alg === "ML-DSA-65" && (error instanceof errors.JOSENotSupported || error.name === "NotSupportedError"), error);
      context.diagnostic(`this Node has no ${alg}`);
    }
    const { keys } = await (await fetch(client.as.jwks_uri)).json();
    assert.deepEqual(keys.map((key) => [key.alg, key.use, key.kid]), [[alg, "sig", decodeProtectedHeader(token).kid]]);
    for (const name of ["d", "p", "q", "dp", "dq", "qi", "priv", "k"]) assert.equal(keys[0][name], undefined);
  });
}

test("keys by hand need a token that manages them", async () => {
  for (const [what, method] of [["", "GET"], ["/rotate", "POST"], ["/promote", "POST"]]) {
    assert.equal((await manage("hand", what, { method, token: "tgb_wrong" })).status, 401);
    assert.equal((await fetch(`${server.realms.hand}/api/v1/keys${what}`, { method })).status, 401);
  }
});

test("attack_75 a rotation under constant traffic: not one valid request refused, not one token by an unpublished key", async (context) => {
  const client = await register(server, "hand");
  const [auto, aged] = [await register(server, "auto"), await register(server, "aged")];
  await Promise.all([accessToken(auto), accessToken(aged)]);
  const failures = [];
  const counts = { tokens: 0, requests: 0 };
  const lately = [];
  const firstToken = new Map(); // kid -> when the request for its first token was sent
  const firstSeen = new Map(); // kid -> when an answer of /jwks had it
  let cached = { kids: [], until: 0 }; // a cache that keeps what it may
  let isOver = false;

  const loop = async (pace, step) => {
    while (!isOver) {
      await step().catch((error) => failures.push(error));
      await sleep(pace);
    }
  };
  const issue = async () => {
    const sent = performance.now();
    const { access_token: token } = await grant(client);
    const { kid } = decodeProtectedHeader(token);
    if (!firstToken.has(kid)) firstToken.set(kid, sent);
    if (!cached.kids.includes(kid)) throw new Error(`a token by ${kid}, which a cache of /jwks lacks`);
    counts.tokens += 1;
    lately.push({ token, until: Date.now() + (LIVES - 1) * 1000 });
  };
  const use = async () => {
    while (lately.length > 0 && lately[0].until < Date.now()) lately.shift();
    const one = lately[Math.floor(Math.random() * lately.length)];
    if (!one) return;
    const answer = await call(one.token, target("hand"));
    counts.requests += 1;
    if (answer.status !== 200) throw new Error(`a valid request got ${answer.status} ${answer.text}`);
  };
  const watch = async () => {
    const { kids } = await publishedKids("hand");
    for (const kid of kids) if (!firstSeen.has(kid)) firstSeen.set(kid, performance.now());
  };
  const cache = async () => {
    if (Date.now() < cached.until) return;
    const from = Date.now();
    const { kids, maxAge } = await publishedKids("hand");
    assert.equal(maxAge, FRESH);
    cached = { kids, until: from + maxAge * 1000 };
  };
  await watch();
  await cache();
  const loops = [loop(40, issue), loop(60, issue), loop(15, use), loop(20, use), loop(25, use), loop(100, watch), loop(20, cache)];
  await sleep(1000);

  const old = inState(await list("hand"), "active");
  assert.equal((await manage("hand", "/promote")).status, 409, "nothing is published");
  assert.equal((await manage("auto", "/rotate")).status, 202);
  const rotated = await manage("hand", "/rotate");
  assert.equal(rotated.status, 202);
  assert.equal(rotated.body.keys.length, 2);
  assert.equal((await manage("hand", "/rotate")).status, 409, "one rotation at a time");
  const next = await until("a published key", async () => inState(await list("hand"), "published"));
  assert.ok(next.promotable_at >= next.since + SPREAD && next.promotable_at <= next.since + SPREAD + 1);
  await until("the new key in /jwks", () => firstSeen.has(next.kid));
  for (const wait of [0, (SPREAD - 5) * 1000]) {
    await sleep(wait);
    const early = await manage("hand", "/promote");
    assert.equal(early.status, 409);
    assert.match(early.headers.get("content-type"), /^application\/problem\+json/);
    const retryAfter = Number(early.headers.get("retry-after"));
    assert.ok(retryAfter >= 1 && retryAfter <= SPREAD + 1, String(retryAfter));
  }
  assert.deepEqual([...firstToken.keys()], [old.kid]);
  await sleep(next.promotable_at * 1000 - Date.now() + 20);
  const promoted = await manage("hand", "/promote");
  assert.equal(promoted.status, 200, JSON.stringify(promoted.body));
  const retired = inState(promoted.body.keys, "retired");
  assert.equal(retired.kid, old.kid);
  assert.ok(retired.until >= retired.since + OVERLAP && retired.until <= retired.since + OVERLAP + 1);
  await until("a token by the new key", () => firstToken.has(next.kid), (FRESH + 2) * 1000);

  // A token that would last, by the old key, as nobody but the operator could make it: only the key ends it.
  const lasting = await grant(await register(server, "hand", { grants: ["client_credentials", "refresh_token"] }));
  const { privateKey } = server.openKeyrings().find(({ kid }) => kid === old.kid);
  const claims = JSON.stringify({ ...decodeJwt(lasting.access_token), exp: seconds() + 3600 });
  const byOld = rememberToken(forgeText(JSON.stringify({ alg: "ES256", kid: old.kid, typ: "at+jwt" }), claims, { key: privateKey }));
  assertPassed(await call(byOld, target("hand")), "within the overlap");
  await sleep(retired.until * 1000 - Date.now() - 2000);
  assertPassed(await call(byOld, target("hand")), "until the end of the overlap");
  await sleep(2000 + (FRESH + 1) * 1000);
  assertInvalidToken(await call(byOld, target("hand")), "and not after");
  assert.deepEqual((await publishedKids("hand")).kids, [next.kid]);
  isOver = true;
  await Promise.all(loops);

  context.diagnostic(`${counts.tokens} tokens, ${counts.requests} requests`);
  assert.deepEqual(failures, []);
  assert.ok(counts.tokens > 1000 && counts.requests > 3000, JSON.stringify(counts));
  assert.deepEqual([...firstToken.keys()], [old.kid, next.kid]);
  for (const [kid, sent] of firstToken) assert.ok(firstSeen.get(kid) < sent, `${kid} was in /jwks before its first token`);
  assert.ok(firstToken.get(next.kid) - firstSeen.get(next.kid) > (SPREAD - 1) * 1000);
});

test("keys that rotate by themselves: the alarm stages, publishes, promotes and drops", async () => {
  const keys = await until("the end of the overlap", async () => {
    const keys = await list("auto");
    return keys.every((key) => key.state !== "retired") && keys;
  }, 20_000);
  const [active] = keys;
  assert.equal(active.state, "active");
  assert.equal(keys.length, 1, "the first key has come and gone, and nobody asked");
  await assertTold(server, /"target":"keyring","decision":"step","reason":"promote"/);
  const [old, next] = await list("aged");
  assert.deepEqual([old.state, next.state], ["active", "published"], "it is 70 s old");
  assert.ok(next.since - old.since >= SPREAD && next.since - old.since < SPREAD + 10, `${next.since - old.since} s`);
});

endsWithoutLeaks();
