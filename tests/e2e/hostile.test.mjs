// Issuers whose key endpoints hang, fail, lie, flood or rotate: their tokens meet 503 or pass, and nobody else notices.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { createGzip } from "node:zlib";

import { accessToken, register } from "./support/client.mjs";
import { assertTold, endsWithoutLeaks } from "./support/instance.mjs";
import {
  assertPassed, assertRefused, assertTrouble, get, hang, issuerOf, json, keySet, makeKey, redirect, slowest, slowly, startGate, startIssuers, times, tokenOf,
} from "./support/issuers.mjs";

// What a server may take, and a little for the way.
const TIMEOUT = 3000;
const WAITED = TIMEOUT + 1000;
// The least that nobody asks after a first failure: 5 s, shortened by up to a half.
const PAUSE = 2500;
// The least that a key set is fresh.
const FRESH = 60_000;
const LIMIT = 64 * 1024;

const issuers = await startIssuers();
let server = await startGate("hostile");
const own = await accessToken(await register(server, "test"));
const key = makeKey("a");

const jwks = (name) => `${name}/jwks`;
const asked = (name) => issuers.asked(jwks(name)).length;
const serve = (name, page) => issuers.serve(jwks(name), page);
/** Another token each time, so that each needs the key. */
const ask = (name, by = key) => get(tokenOf(name, by), name);

/** What the others' requests take: known and new tokens of an issuer with keys from the web, and our own realm's. */
async function others(known) {
  const answers = [await get(known, "good"), await ask("good"), await get(own, "realm")];
  answers.forEach((answer) => assertPassed(answer));
  return answers;
}

serve("good", keySet([key]));
const known = tokenOf("good", key);
await others(known);

/** Runs `action` with requests for other issuers beside it: none of them may take longer than alone, but for what a busy machine adds. */
async function aside(action) {
  const alone = [];
  for (let n = 0; n < 10; n += 1) alone.push(...(await others(known)));
  let done = false;
  const running = Promise.resolve(action()).finally(() => (done = true));
  const beside = [];
  do beside.push(...(await others(known)));
  while (!done);
  const most = Math.max(1000, 10 * slowest(alone));
  assert.ok(slowest(beside) < most, `${slowest(beside)} ms beside, ${slowest(alone)} ms alone`);
  assert.ok(most < TIMEOUT, `${slowest(alone)} ms alone: this machine is too busy to tell`);
  return { value: await running, alone, beside };
}

const median = (answers) => answers.map(({ ms }) => ms).sort((a, b) => a - b)[answers.length >> 1];
const report = (t, { alone, beside }) =>
  t.diagnostic(`others: ${median(alone).toFixed(1)} ms alone (at most ${slowest(alone).toFixed(1)}), ${median(beside).toFixed(1)} ms beside (at most ${slowest(beside).toFixed(1)}, of ${beside.length})`);

// A minute has to pass for these two: it begins here and ends at the end of this file.
const long = { "cache-control": "max-age=1" };
const [removed, bridged] = [tokenOf("removes", key), tokenOf("outage", key)];
let minute;

test("a key set with max-age=1 is kept for a minute", async () => {
  for (const name of ["removes", "outage"]) serve(name, keySet([key], { headers: long }));
  assertPassed(await get(removed, "removes"));
  assertPassed(await get(bridged, "outage"));
  minute = Date.now() + FRESH;
  serve("removes", keySet([makeKey("b")], { headers: long }));
  serve("outage", json("", { status: 500 }));
});

test("fifty first requests at once: one question, and all of them pass", async () => {
  // As long as a key set may be: not a byte is wrong with it.
  const text = JSON.stringify({ keys: [key.jwk] });
  serve("burst", json(text.padEnd(LIMIT, " "), { ms: 300 }));
  const answers = await times(50, () => ask("burst"));
  answers.forEach((answer) => assertPassed(answer));
  assert.equal(asked("burst"), 1);
});

test("attack_21: a hundred unknown kids at once cost one question, and known keys nothing", async () => {
  serve("flood", keySet([key], { ms: 200 }));
  const good = tokenOf("flood", key);
  assertPassed(await get(good, "flood"));
  assert.equal(asked("flood"), 1);
  const unknown = (n) => ask("flood", { ...key, kid: `made-up-${n}` });
  const [flood, passed] = await Promise.all([times(100, unknown), times(20, () => ask("flood"))]);
  flood.forEach((answer) => assertRefused(answer));
  passed.forEach((answer) => assertPassed(answer));
  assert.equal(asked("flood"), 2);
  // And nobody asks again within the cool-down.
  (await times(20, (n) => unknown(100 + n))).forEach((answer) => assertRefused(answer));
  assert.equal(asked("flood"), 2);
});

test("an endpoint that hangs: 503 within the time limit, one question, and nobody asks again at once", async (t) => {
  serve("hangs", hang);
  const measured = await aside(() => times(50, () => ask("hangs")));
  measured.value.forEach((answer) => assertTrouble(answer));
  assert.ok(slowest(measured.value) < WAITED, `${slowest(measured.value)} ms`);
  assert.equal(asked("hangs"), 1);
  const next = await times(50, () => ask("hangs"));
  next.forEach((answer) => assertTrouble(answer));
  assert.ok(slowest(next) < TIMEOUT / 2, `${slowest(next)} ms`);
  assert.equal(asked("hangs"), 1);
  t.diagnostic(`50 at once: ${slowest(measured.value).toFixed(0)} ms; 50 more: ${slowest(next).toFixed(0)} ms`);
  report(t, measured);
});

test("attack_23: an answer that trickles in: the time limit is for all of it", async (t) => {
  serve("slow-body", slowly(JSON.stringify({ keys: [key.jwk] })));
  const measured = await aside(() => times(10, () => ask("slow-body")));
  measured.value.forEach((answer) => assertTrouble(answer));
  assert.ok(slowest(measured.value) < WAITED, `${slowest(measured.value)} ms`);
  await sleep(500);
  const seen = issuers.asked(jwks("slow-body"));
  assert.equal(seen.length, 1);
  assert.ok(seen[0].cut, "the connection was given up");
  t.diagnostic(`${slowest(measured.value).toFixed(0)} ms`);
  report(t, measured);
});

test("a search for an unknown kid that hangs holds up nobody whose key is known", async (t) => {
  serve("searched", keySet([key]));
  assertPassed(await ask("searched"));
  serve("searched", hang);
  const measured = await aside(async () => {
    const [unknown, ...passed] = await Promise.all([ask("searched", { ...key, kid: "other" }), ...Array.from({ length: 20 }, () => ask("searched"))]);
    passed.forEach((answer) => assertPassed(answer));
    assert.ok(slowest(passed) < TIMEOUT / 2, `${slowest(passed)} ms`);
    return unknown;
  });
  // Perhaps the source has that key by now: nobody knows.
  assertTrouble(measured.value);
  assert.ok(measured.value.ms < WAITED, `${measured.value.ms} ms`);
  assert.equal(asked("searched"), 2);
  report(t, measured);
});

const keys = (count, make) => JSON.stringify({ keys: Array.from({ length: count }, (_, n) => (n === 0 ? key.jwk : make(n))) });

/** Zeros without end, a thousandth of that on the wire. */
const bomb = (body, response, seen) => {
  response.writeHead(200, { "content-type": "application/json", "content-encoding": "gzip" });
  const gzip = createGzip();
  seen.bytes = 0;
  const piece = Buffer.alloc(LIMIT, " ");
  const more = () => {
    if (response.destroyed) return void gzip.destroy();
    seen.bytes += piece.length;
    gzip.write(piece, () => setImmediate(more));
  };
  gzip.on("error", () => {}).pipe(response);
  more();
};

const cutOff = (body, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": 10_000 });
  response.write('{"keys":[', () => response.destroy());
};

const good = { keys: [key.jwk] };
for (const [name, page, about] of [
  ["fails", json(good, { status: 500 }), "500, whatever stands in it"],
  ["redirects", redirect(`${issuerOf("target")}/jwks`), "302"],
  ["many", json(keys(10_000, (n) => ({ ...key.jwk, kid: `k${n}` }))), "10,000 keys"],
  ["many-empty", json(keys(10_000, () => ({}))), "10,000 keys in less than 64 KiB"],
  ["large", json(JSON.stringify(good).padEnd(LIMIT + 1)), "64 KiB and a byte"],
  ["endless", bomb, "a compressed answer without end"],
  ["garbage", json("<!doctype html><title>Sign in</title>"), "a page"],
  ["cut-off", cutOff, "a connection that breaks"],
  ["unreachable", undefined, "nobody listens"],
]) {
  test(`attack_23: ${about}: 503 at once, and one question`, async (t) => {
    if (page) serve(name, page);
    serve("target", keySet([key]));
    const measured = await aside(() => times(10, () => ask(name)));
    measured.value.forEach((answer) => assertTrouble(answer));
    assert.ok(slowest(measured.value) < TIMEOUT / 2, `${slowest(measured.value)} ms`);
    assertTrouble(await ask(name));
    assert.equal(asked(name), page ? 1 : 0);
    assert.equal(asked("target"), 0, "no redirect is followed");
    if (page === bomb) {
      await sleep(500);
      const [seen] = issuers.asked(jwks(name));
      assert.ok(seen.cut, "the connection was given up");
      t.diagnostic(`${seen.bytes} bytes were packed until then`);
    }
    t.diagnostic(`${slowest(measured.value).toFixed(0)} ms`);
    report(t, measured);
  });
}

const OPENID = ".well-known/openid-configuration";

test("keys are found through metadata, in both places that it may have", async () => {
  for (const [name, place] of [["described", `described/${OPENID}`], ["oauth", ".well-known/oauth-authorization-server/oauth"]]) {
    issuers.serve(place, json({ issuer: issuerOf(name), jwks_uri: `${issuerOf(name)}/keys` }));
    issuers.serve(`${name}/keys`, keySet([key], { ms: 100 }));
    (await times(20, () => ask(name))).forEach((answer) => assertPassed(answer));
    assert.deepEqual([issuers.asked(place).length, issuers.asked(`${name}/keys`).length], [1, 1], name);
  }
});

for (const [name, page, about] of [
  ["lies", json({ issuer: issuerOf("good"), jwks_uri: `${issuerOf("lies")}/keys` }), "metadata that names another issuer"],
  ["far-keys", json({ issuer: issuerOf("far-keys"), jwks_uri: "http://192.0.2.1/jwks" }), "metadata with keys that come without TLS"],
  ["metadata-redirects", redirect(`${issuerOf("metadata-redirects")}/elsewhere`), "metadata that redirects"],
]) {
  test(`attack_24: ${about}: 503, and nobody is asked for keys`, async () => {
    issuers.serve(`${name}/${OPENID}`, page);
    issuers.serve(`${name}/elsewhere`, json({ issuer: issuerOf(name), jwks_uri: `${issuerOf(name)}/keys` }));
    issuers.serve(`${name}/keys`, keySet([key]));
    const answers = await times(10, () => ask(name));
    answers.forEach((answer) => assertTrouble(answer));
    assert.ok(slowest(answers) < TIMEOUT / 2, `${slowest(answers)} ms`);
    assert.deepEqual([OPENID, "elsewhere", "keys"].map((path) => issuers.asked(`${name}/${path}`).length), [1, 0, 0]);
  });
}

test("metadata that hangs: 503 within the time limit", async (t) => {
  issuers.serve(`metadata-hangs/${OPENID}`, hang);
  const measured = await aside(() => times(10, () => ask("metadata-hangs")));
  measured.value.forEach((answer) => assertTrouble(answer));
  assert.ok(slowest(measured.value) < WAITED, `${slowest(measured.value)} ms`);
  assert.equal(issuers.asked(`metadata-hangs/${OPENID}`).length, 1);
  report(t, measured);
});

test("attack_48: a key counts for its own issuer alone, whatever its kid", async () => {
  const [mine, theirs] = [makeKey("same"), makeKey("same")];
  // Each issuer publishes another key of the same name. Nobody has asked these two for it yet.
  serve("good", keySet([key, mine]));
  issuers.serve("described/keys", keySet([key, theirs]));
  assertPassed(await get(tokenOf("good", mine), "two"));
  assertPassed(await get(tokenOf("described", theirs), "two"));
  assertRefused(await get(tokenOf("good", theirs), "two"));
  assertRefused(await get(tokenOf("described", mine), "two"));
  // Nor does an issuer count where it is not named.
  assertRefused(await get(tokenOf("described", theirs), "good"));
});

test("rotation under load: no valid token is refused, and it costs one question", async (t) => {
  const [a, b] = [makeKey("first"), makeKey("second")];
  serve("rotates", keySet([a], { ms: 100, headers: { "cache-control": "max-age=60" } }));
  let by = a;
  let done = false;
  const answers = [];
  const client = async () => {
    while (!done) {
      const name = by.kid;
      answers.push({ name, ...(await ask("rotates", by)) });
    }
  };
  const clients = Promise.all(Array.from({ length: 20 }, client));
  try {
    await sleep(1500);
    serve("rotates", keySet([a, b], { ms: 500 }));
    await sleep(500);
    by = b; // signs with it as soon as it is published
    await sleep(2000);
    serve("rotates", keySet([b], { ms: 500 }));
    await sleep(2000);
  } finally {
    done = true;
    await clients;
  }
  answers.forEach((answer) => assertPassed(answer, answer.name));
  assert.equal(asked("rotates"), 2);
  const by_ = (kid) => answers.filter(({ name }) => name === kid);
  assert.ok(by_("first").length > 40 && by_("second").length > 40);
  t.diagnostic(`${by_("first").length} with the first key, ${by_("second").length} with the second; at most ${slowest(answers).toFixed(0)} ms`);
});

test("an issuer that recovers is asked again after the pause, and its tokens pass", async (t) => {
  serve("recovers", json("", { status: 503 }));
  assertTrouble(await ask("recovers"));
  const failed = Date.now();
  serve("recovers", keySet([key]));
  let answer;
  while ((answer = await ask("recovers")).status === 503) {
    assertTrouble(answer);
    assert.equal(asked("recovers"), 1);
    assert.ok(Date.now() - failed < 6000, "it is asked again within six seconds");
    await sleep(100);
  }
  assertPassed(answer);
  assert.equal(asked("recovers"), 2);
  const pause = Date.now() - failed;
  assert.ok(pause >= PAUSE - 100, `${pause} ms`);
  t.diagnostic(`asked again after ${pause} ms`);
});

test("after a minute: a removed key's token stops, and an issuer that is down lives on with the keys that are known", async () => {
  assert.deepEqual([asked("removes"), asked("outage")], [1, 1], "nobody was asked in between");
  if (Date.now() < minute - 2000) {
    assertPassed(await get(removed, "removes"));
    assertPassed(await get(bridged, "outage"));
  }
  await sleep(Math.max(0, minute + 1000 - Date.now()));
  assertRefused(await get(removed, "removes"));
  (await times(20, () => ask("outage"))).forEach((answer) => assertPassed(answer));
  assertPassed(await get(bridged, "outage"));
  assert.equal(asked("outage"), 2, "it was asked once, and now there is a pause");
  await assertTold(server, /"decision":"fault","op":"read key set","detail":"status 500"/);
});

test("another isolate takes the copy in the Cache API and asks nobody; a kid that the copy lacks is asked for", async () => {
  const before = asked("good");
  await server.stop();
  server = await startGate("hostile", { again: true });
  serve("good", json("", { status: 500 }));
  assertPassed(await ask("good"));
  assert.equal(asked("good"), before);
  const next = makeKey("next");
  serve("good", keySet([key, next]));
  assertPassed(await ask("good", next));
  assert.equal(asked("good"), before + 1);
});

endsWithoutLeaks();
