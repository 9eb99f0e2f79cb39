// Tokens that their issuer is asked about (RFC 7662): how often, as whom, and what each kind of answer comes to.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { accessToken, register } from "./support/client.mjs";
import { AUDIENCE, seconds } from "./support/forge.mjs";
import { assertTold, endsWithoutLeaks } from "./support/instance.mjs";
import {
  assertPassed, assertRefused, assertTrouble, get, hang, issuerOf, json, keySet, makeKey, redirect, slowest, startGate, startIssuers, times, tokenOf,
} from "./support/issuers.mjs";
import { remember } from "./support/secrets.mjs";

const TIMEOUT = 3000;
const WAITED = TIMEOUT + 1000;
// How long nobody asks after a failure.
const PAUSE = 1000;
// Questions to one issuer that may be under way.
const FLIGHTS = 32;

const id = "tollgate:gate/7 +ü%&="; // as in issuers.json
const secret = `tgx ${randomBytes(16).toString("base64url")}:/+%=&ü~*`;
const plain = `tgx_${randomBytes(24).toString("base64url")}`;

/** `application/x-www-form-urlencoded`, as RFC 6749 section 2.3.1 wants it in Basic. */
const form = (text) => new URLSearchParams([["", text]]).toString().slice(1);
for (const [user, password] of [[id, secret], ["tollgate", plain]]) {
  remember("a client secret, as it is sent", form(password));
  remember("a client's credentials", Buffer.from(`${form(user)}:${form(password)}`).toString("base64"));
}

const issuers = await startIssuers();
const server = await startGate("introspection", { secrets: { ODD_CLIENT_SECRET: secret, ISSUERS_CLIENT_SECRET: plain } });
assertPassed(await get(await accessToken(await register(server, "test")), "realm"));

const opaque = (about = "t") => remember("an opaque token", `${about}-${randomBytes(24).toString("base64url")}`);
const place = (name) => `${name}/introspect`;
const questions = (name, token) => issuers.asked(place(name)).filter(({ body }) => new URLSearchParams(body).get("token") === token);

/** What each issuer says about each token; about others, that they are not active. */
const said = new Map();
const say = (token, answer) => said.set(token, answer);
const answering = (options) => (body, response) => json(said.get(new URLSearchParams(body).get("token")) ?? { active: false }, options)(body, response);
for (const name of ["asked", "posted", "short", "uncached", "unset", "both"]) issuers.serve(place(name), answering({ ms: 50 }));

const active = (changes = {}) => ({ active: true, sub: "user|7", aud: AUDIENCE, client_id: "partner", scope: "orders:read", exp: seconds() + 300, ...changes });

function told(answer) {
  const token = opaque();
  say(token, answer);
  return token;
}

test("an active token passes, and one question does for twenty requests", async () => {
  const token = told(active());
  (await times(10, () => get(token, "asked"))).forEach((answer) => assertPassed(answer));
  for (let n = 0; n < 10; n += 1) assertPassed(await get(token, "asked"));
  assert.equal(questions("asked", token).length, 1);
  const { headers } = JSON.parse((await get(token, "asked")).text);
  assert.equal(headers["x-tollgate-issuer"], issuerOf("asked"));
  assert.equal(headers["x-tollgate-client"], "partner");
  assert.equal(headers["x-tollgate-scope"], "orders:read");
  assert.equal(headers.authorization, undefined);
});

test("a token that is not active, and one that is made up, are refused, and one question does for twenty requests", async () => {
  for (const token of [told({ active: false }), opaque(), told({ ...active(), active: false })]) {
    (await times(10, () => get(token, "asked"))).forEach((answer) => assertRefused(answer));
    for (let n = 0; n < 10; n += 1) assertRefused(await get(token, "asked"));
    assert.equal(questions("asked", token).length, 1);
  }
});

test("the client authenticates as RFC 6749 section 2.3.1 has it, whatever its id and secret are made of", async () => {
  const [basic, post] = [told(active()), told(active())];
  assertPassed(await get(basic, "asked"));
  assertPassed(await get(post, "posted"));

  const [asBasic] = questions("asked", basic);
  assert.deepEqual([asBasic.method, asBasic.headers["content-type"], asBasic.headers.accept], ["POST", "application/x-www-form-urlencoded", "application/json"]);
  const [scheme, credentials] = asBasic.headers.authorization.split(" ");
  const parts = Buffer.from(credentials, "base64").toString().split(":");
  assert.equal(scheme, "Basic");
  assert.deepEqual(parts, [form(id), form(secret)]);
  assert.deepEqual([...new URLSearchParams(asBasic.body)], [["token", basic], ["token_type_hint", "access_token"]]);

  const [asPost] = questions("posted", post);
  assert.equal(asPost.headers.authorization, undefined);
  const fields = [["token", post], ["token_type_hint", "access_token"], ["client_id", id], ["client_secret", secret]];
  assert.deepEqual([...new URLSearchParams(asPost.body)], fields);
});

test("a token of any characters that a header may hold arrives as it was sent", async () => {
  for (const end of ["+b/c==", ".b", ".b.c.d", "-._~+/", "x".repeat(16_000)]) {
    const token = remember("an opaque token", `${randomBytes(12).toString("hex")}${end}`);
    say(token, active());
    assertPassed(await get(token, "asked"), end.slice(0, 20));
    assert.equal(questions("asked", token).length, 1);
  }
});

test("each token is asked about for itself: fifty at once, in turns of no more than may be under way", async () => {
  const tokens = Array.from({ length: 50 }, (_, n) => told(n % 2 ? active() : { active: false }));
  for (const half of [tokens.slice(0, 25), tokens.slice(25)]) {
    const answers = await Promise.all(half.map((token) => get(token, "asked")));
    answers.forEach((answer, n) => (tokens.indexOf(half[n]) % 2 ? assertPassed(answer) : assertRefused(answer)));
  }
  for (const token of tokens) assert.equal(questions("asked", token).length, 1);
});

test("scopes are checked on every hit, for every route, in both orders", async () => {
  const needed = "asked/orders";
  for (const [scope, status] of [["orders:read customers:read", 200], ["customers:read", 403], [undefined, 403]]) {
    for (const order of [["asked", needed, "asked"], [needed, "asked", needed]]) {
      const token = told(active({ scope }));
      for (const path of order) {
        const answer = await get(token, path);
        assert.equal(answer.status, path === needed ? status : 200, `${scope} ${path}`);
        if (answer.status === 403) assert.equal(answer.headers.get("www-authenticate"), 'Bearer error="insufficient_scope", scope="orders:read"');
      }
      assert.equal(questions("asked", token).length, 1);
    }
  }
});

test("a token counts only where its issuer does", async () => {
  const token = told(active());
  assertPassed(await get(token, "asked"));
  for (const path of ["good", "realm"]) assertRefused(await get(token, path), path);
  // Another issuer is asked itself, and what the first one said counts for nothing.
  said.delete(token);
  assertRefused(await get(token, "short"));
  assert.deepEqual([questions("asked", token).length, questions("short", token).length], [1, 1]);
});

test("`exp` in the answer ends what is believed, long before the configured time", async () => {
  const exp = seconds() + 3;
  const token = told(active({ exp }));
  assertPassed(await get(token, "asked"));
  say(token, { active: false });
  assertPassed(await get(token, "asked"));
  assert.equal(questions("asked", token).length, 1);
  await sleep(exp * 1000 + 200 - Date.now());
  assertRefused(await get(token, "asked"));
  assert.equal(questions("asked", token).length, 2);
});

test("what is believed ends after the configured time, of both kinds", async () => {
  const [revoked, activated] = [told(active()), told({ active: false })];
  assertPassed(await get(revoked, "short"));
  assertRefused(await get(activated, "short"));
  say(revoked, { active: false });
  say(activated, active());
  assertPassed(await get(revoked, "short"));
  assertRefused(await get(activated, "short"));
  await sleep(2300); // `short` has two seconds
  assertRefused(await get(revoked, "short"));
  assertPassed(await get(activated, "short"));
  for (const token of [revoked, activated]) assert.equal(questions("short", token).length, 2);
});

test("with both times 0 every request asks", async () => {
  const token = told(active());
  for (let n = 0; n < 5; n += 1) assertPassed(await get(token, "uncached"));
  say(token, { active: false });
  assertRefused(await get(token, "uncached"));
  assert.equal(questions("uncached", token).length, 6);
});

test("an active token that is not for us, not a bearer token, bound to a key, or not of this time is refused, also from memory", async () => {
  for (const [about, changes] of [
    ["for somebody else", { aud: "https://other.example.com" }],
    ["for nobody", { aud: undefined }],
    ["expired", { exp: seconds() - 60 }],
    ["of tomorrow", { nbf: seconds() + 86_400 }],
    ["bound to a key", { cnf: { jkt: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I" } }],
    ["of another type", { token_type: "N_A" }],
    ["another issuer's", { iss: issuerOf("troubled") }],
    ["several issuers'", { iss: [issuerOf("asked")] }],
  ]) {
    const token = told(active(changes));
    assertRefused(await get(token, "asked"), about);
    assertRefused(await get(token, "asked"), about);
    // What has expired is not believed at all.
    assert.equal(questions("asked", token).length, about === "expired" ? 2 : 1, about);
  }
  assertPassed(await get(told(active({ aud: ["https://other.example.com", AUDIENCE], token_type: "bearer", iss: issuerOf("asked") })), "asked"));
});

test("an answer that cannot be used is our trouble, and for a second nobody asks about that token", async () => {
  for (const [about, page, isGeneral = false] of [
    ["401: it does not know our client", json({ error: "invalid_client" }, { status: 401, headers: { "www-authenticate": "Basic" } }), true],
    ["503", json(active(), { status: 503 }), true],
    ["500", json(active(), { status: 500 })],
    ["a redirect", redirect(`${issuerOf("asked")}/introspect`)],
    ["a redirect that keeps the method", redirect(`${issuerOf("asked")}/introspect`, 307)],
    ["an empty answer", json("")],
    ["a page", json("<!doctype html>")],
    ["an array", json([active()])],
    ["not said whether active", json({})],
    ["active as text", json({ ...active(), active: "true" })],
    ["active twice", json('{"active":false,"active":true,"sub":"s","aud":"https://api.example.com"}')],
    ["without a subject", json(active({ sub: undefined, client_id: undefined }))],
    ["a time that is none", json(active({ exp: "soon" }))],
    ["too large", json({ ...active(), more: "x".repeat(64 * 1024) })],
    ["cut off", (body, response) => response.writeHead(200, { "content-length": 1000 }).write('{"active":', () => response.destroy())],
  ]) {
    const [token, other] = [opaque(), opaque()];
    issuers.serve(place("troubled"), page);
    assertTrouble(await get(token, "troubled"), about);
    assertTrouble(await get(token, "troubled"), about);
    assertTrouble(await get(other, "troubled"), about);
    assert.equal(questions("troubled", token).length, 1, about);
    // Another token is no worse for it, unless it would have met the same.
    assert.equal(questions("troubled", other).length, isGeneral ? 0 : 1, about);
    assert.equal(questions("asked", token).length, 0, "no redirect is followed");
    issuers.serve(place("troubled"), json(active()));
    await sleep(PAUSE + 100);
    assertPassed(await get(token, "troubled"), `after ${about}`);
  }
});

test("without the secret nobody is asked, and it is our trouble", async () => {
  const token = told(active());
  for (let n = 0; n < 3; n += 1) assertTrouble(await get(token, "unset"));
  assert.equal(issuers.asked(place("unset")).length, 0);
  await assertTold(server, /the deployment has no secret of the configured name/);
});

test("an issuer that hangs: 503 within the time limit, one question for one token, and others are not slowed", async (t) => {
  issuers.serve(place("stuck"), hang);
  const [stuck, fine] = [opaque(), told(active())];
  const alone = await times(20, () => get(fine, "asked"));
  const waiting = times(50, () => get(stuck, "stuck"));
  await sleep(500);
  const beside = [];
  for (let n = 0; n < 20; n += 1) {
    beside.push(await get(fine, "asked"), await get(told(active()), "asked"));
    await sleep(50);
  }
  beside.forEach((answer) => assertPassed(answer));
  const answers = await waiting;
  answers.forEach((answer) => assertTrouble(answer));
  assert.ok(slowest(answers) < WAITED, `${slowest(answers)} ms`);
  assert.equal(questions("stuck", stuck).length, 1);
  assert.ok(slowest(beside) < Math.max(1000, 10 * slowest(alone)), `${slowest(beside)} ms beside, ${slowest(alone)} ms alone`);
  t.diagnostic(`50 at once: ${slowest(answers).toFixed(0)} ms; others at most ${slowest(beside).toFixed(0)} ms`);
});

test("a flood of made-up tokens asks no more than may be under way, and the rest hear 503 at once", async (t) => {
  await sleep(PAUSE + 100);
  const tokens = Array.from({ length: 100 }, () => opaque());
  const answers = await Promise.all(tokens.map((token) => get(token, "stuck")));
  answers.forEach((answer) => assertTrouble(answer));
  assert.ok(slowest(answers) < WAITED, `${slowest(answers)} ms`);
  const asked = tokens.filter((token) => questions("stuck", token).length > 0).length;
  assert.equal(asked, FLIGHTS);
  const early = answers.filter(({ ms }) => ms < TIMEOUT / 2).length;
  assert.equal(early, tokens.length - FLIGHTS);
  t.diagnostic(`${asked} of ${tokens.length} asked; the slowest took ${slowest(answers).toFixed(0)} ms`);
});

test("a JWT of an issuer with keys and introspection needs both", async () => {
  const [key, other] = [makeKey("both"), makeKey("both")];
  issuers.serve("both/jwks", keySet([key]));
  const jwt = (answer, changes, by = key) => {
    const token = tokenOf("both", by, changes);
    if (answer) say(token, answer);
    return token;
  };
  const good = jwt(active());
  for (let n = 0; n < 10; n += 1) assertPassed(await get(good, "both"));
  assert.equal(questions("both", good).length, 1);
  const inactive = jwt();
  for (let n = 0; n < 10; n += 1) assertRefused(await get(inactive, "both"));
  assert.equal(questions("both", inactive).length, 1);
  // What is no token of theirs, they are not asked about.
  for (const bad of [jwt(active(), {}, other), jwt(active(), { aud: "https://other.example.com" }), jwt(active(), { exp: seconds() - 3600 })]) {
    assertRefused(await get(bad, "both"));
    assert.equal(questions("both", bad).length, 0);
  }
  assertRefused(await get(jwt(active({ sub: "somebody else", client_id: "other" })), "both"));
  assertPassed(await get(told(active()), "both"), "an opaque token");
  // Granted is what both say.
  for (const [theirs, ours, status] of [["orders:read", "orders:read", 200], ["customers:read", "orders:read", 403], ["orders:read", "customers:read", 403]]) {
    const answer = await get(jwt(active({ scope: theirs }), { scope: ours }), "both/orders");
    assert.equal(answer.status, status, `${theirs}, ${ours}`);
  }
});

endsWithoutLeaks();
