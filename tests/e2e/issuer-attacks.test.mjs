// What the issuer's endpoints refuse, by the numbers of docs/attacks.md: client authentication, odd requests, others' tokens.
import assert from "node:assert/strict";
import { createHmac, randomUUID } from "node:crypto";
import { test } from "node:test";
import { SignJWT, decodeProtectedHeader, exportJWK, generateKeyPair } from "jose";

import { ask, assertError, assertStatus, realmOf, seconds, startIssuer } from "./support/issuer.mjs";
import { endsWithoutLeaks } from "./support/instance.mjs";
import { remember, rememberToken } from "./support/secrets.mjs";

const server = await startIssuer("attacks");
const [app, exact, turning] = ["app", "exact", "turning"].map((name) => realmOf(server, name));
const client = await app.client();
const TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const basic = (id, secret) => ({ authorization: `Basic ${remember("a Basic credential", Buffer.from(`${id}:${secret}`).toString("base64"))}` });
const endpoints = { token: app.token, introspect: app.introspect, revoke: app.revoke };
const asked = { grant_type: "client_credentials", token: "x" };

async function signer(metadata = {}) {
  const pair = await generateKeyPair("ES256", { extractable: true });
  const jwk = { ...(await exportJWK(pair.publicKey)), kid: "one", alg: "ES256", use: "sig" };
  return { ...(await app.client({ token_endpoint_auth_method: "private_key_jwt", jwks: { keys: [jwk] }, ...metadata })), jwk, key: pair.privateKey };
}

const claimsOf = ({ client_id }, changes = {}) => {
  const claims = { iss: client_id, sub: client_id, aud: app.issuer, iat: seconds(), exp: seconds() + 60, jti: randomUUID(), ...changes };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
};
const sign = async (who, changes, { header = {}, key = who.key } = {}) =>
  rememberToken(await new SignJWT(claimsOf(who, changes)).setProtectedHeader({ alg: "ES256", kid: "one", ...header }).sign(key));
const withAssertion = (client_assertion, changes = {}) => ({ ...asked, client_assertion_type: TYPE, client_assertion, ...changes });

test("attack 63: an assertion counts once, for this issuer, from this client, in its time", async () => {
  const [who, other] = [await signer(), await signer()];
  for (const aud of [app.issuer, `${app.issuer}/oauth/token`]) assertStatus(await app.token(withAssertion(await sign(who, { aud }))), 200);
  const once = await sign(who);
  assertStatus(await app.token(withAssertion(once)), 200);
  for (const [name, endpoint] of Object.entries(endpoints)) assertError(await endpoint(withAssertion(once)), "invalid_client", 401, `again at ${name}`);
  const b64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const unsigned = (alg) => `${b64({ alg })}.${b64(claimsOf(who))}.`;
  const mac = (input, secret) => createHmac("sha256", secret).update(input).digest("base64url");
  const input = `${b64({ alg: "HS256", kid: "one" })}.${b64(claimsOf(who))}`;
  for (const [about, assertion] of Object.entries({
    "an audience array": await sign(who, { aud: [app.issuer] }),
    "two audiences": await sign(who, { aud: [app.issuer, "https://evil.example"] }),
    "another issuer's": await sign(who, { aud: exact.issuer }),
    "another server's token endpoint": await sign(who, { aud: "https://evil.example/oauth/token" }),
    "without exp": await sign(who, { exp: undefined }),
    "5 minutes past": await sign(who, { iat: seconds() - 400, exp: seconds() - 300 }),
    "far ahead": await sign(who, { exp: seconds() + 3600 }),
    "without jti": await sign(who, { jti: undefined }),
    "iss is another": await sign(who, { iss: other.client_id }),
    "sub is another": await sign(who, { sub: other.client_id }),
    "another client's key": await sign(who, {}, { key: other.key }),
    "an access token's typ": await sign(who, {}, { header: { typ: "at+jwt" } }),
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "no signature": `${once.slice(0, once.lastIndexOf("."))}.`,
    "the public key as a shared secret": `${input}.${mac(input, JSON.stringify(who.jwk))}`,
    "an embedded key": await sign(who, {}, { header: { jwk: other.jwk }, key: other.key }),
    "no JWT": "x.y.z",
  })) {
    assertError(await app.token(withAssertion(assertion)), "invalid_client", 401, about);
  }
});

test("attack 63: assertions that race count once", async () => {
  const who = await signer();
  const assertion = await sign(who);
  const answers = await Promise.all(Array.from({ length: 20 }, () => app.token(withAssertion(assertion))));
  assert.equal(answers.filter(({ status }) => status === 200).length, 1);
});

test("attack 63: one way at a time, and only the client's own", async () => {
  const who = await signer();
  const { client_id, client_secret } = client;
  for (const [name, endpoint] of Object.entries(endpoints)) {
    assertError(await endpoint({ ...asked, ...client.who }, { headers: basic(client_id, client_secret) }), "invalid_request", 400, name);
    assertError(await endpoint(withAssertion(await sign(who), { client_secret })), "invalid_request", 400, name);
    assertError(await endpoint(withAssertion(await sign(who)), { headers: basic(client_id, client_secret) }), "invalid_request", 400, name);
    assertError(await endpoint(withAssertion(await sign(who), { client_assertion_type: "urn:x" })), "invalid_request", 400, name);
    assertError(await endpoint(withAssertion(await sign(who), { client_id })), "invalid_client", 401, name);
    assertError(await endpoint({ ...asked, client_id }), "invalid_client", 401, `${name}: a confidential client without proof`);
    assertError(await endpoint({ ...asked, client_id: who.client_id, client_secret }), "invalid_client", 401, `${name}: a secret for a key`);
    assertError(await endpoint(asked), "invalid_client", 401, `${name}: nobody`);
    const encoded = basic(client_id, client_secret.replaceAll("_", "%5F"));
    assert.notEqual((await endpoint(asked, { headers: encoded })).status, 401, `${name}: form-encoded in Basic`);
  }
  const inQuery = `${app.issuer}/oauth/token?client_assertion=${await sign(who)}`;
  assertError(await ask(inQuery, { form: { ...asked, ...client.who } }), "invalid_request");
});

test("attack 64: every endpoint of the issuer takes one small form by POST, each parameter once", async () => {
  const { client_id, client_secret } = client;
  const headers = basic(client_id, client_secret);
  for (const [name, endpoint] of Object.entries(endpoints)) {
    const url = `${app.issuer}/oauth/${name}`;
    for (const method of ["GET", "PUT", "DELETE"]) {
      const answer = await ask(url, { method, headers });
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "POST"], `${method} ${name}`);
    }
    const twice = ["grant_type", "token", "client_id", "unheard"];
    for (const parameter of twice) {
      const form = new URLSearchParams(asked);
      for (let n = 0; n < 2; n += 1) form.append(parameter, form.get(parameter) ?? client_id);
      assertError(await endpoint(form, { headers }), "invalid_request", 400, `${name}: ${parameter} twice`);
    }
    assertError(await ask(url, { json: asked, headers }), "invalid_request", 400, `${name}: JSON`);
    assertError(await ask(url, { headers, body: new Uint8Array(Buffer.from("token=x")) }), "invalid_request", 400, `${name}: no content type`);
    assertError(await endpoint({ ...asked, x: "x".repeat(1024 * 1024) }, { headers }), "invalid_request", 400, `${name}: 1 MB`);
    assert.ok((await endpoint({ ...asked, unheard: "x" }, { headers })).status === 200, `${name}: what nobody knows is ignored`);
  }
  for (const parameter of ["code", "refresh_token", "code_verifier"]) {
    const form = new URLSearchParams({ grant_type: "client_credentials", [parameter]: "x" });
    form.append(parameter, "x");
    assertError(await app.token(form, { headers }), "invalid_request", 400, parameter);
  }
});

test("attack 64: what a client may not use is unauthorized_client, with a code or a token that is right", async () => {
  const person = await app.user();
  const only = await app.client();
  const form = await app.code(person, only);
  assertError(await app.token(form), "unauthorized_client");
  const own = await app.client({ grant_types: ["client_credentials"] });
  assertError(await app.refresh(own, (await app.grant(client)).refresh_token), "unauthorized_client");
  const open = await app.app();
  assertError(await app.token({ grant_type: "client_credentials", ...open.who }), "unauthorized_client");
  assertError(await exact.token({ grant_type: "client_credentials", ...client.who }), "invalid_client", 401, "a client of another realm");
});

test("attack 69: others' tokens are neither told of nor revoked, whatever the hint", async () => {
  const stranger = await app.client();
  const tokens = await app.grant(client);
  for (const token of [tokens.access_token, tokens.refresh_token]) {
    for (const token_type_hint of ["access_token", "refresh_token", "unheard", ""]) {
      assert.deepEqual(assertStatus(await app.introspect({ token, token_type_hint, ...stranger.who }), 200), { active: false });
      assert.equal(assertStatus(await app.introspect({ token, token_type_hint, ...client.who }), 200).active, true);
      assertError(await app.revoke({ token, token_type_hint, ...stranger.who }), "unauthorized_client");
    }
    for (const endpoint of [app.introspect, app.revoke]) {
      assertError(await endpoint({ token }), "invalid_client");
      assertError(await endpoint({ token, client_id: client.client_id }), "invalid_client");
      assertError(await endpoint({ ...client.who }), "invalid_request", 400, "no token");
    }
  }
  const open = await app.app();
  assertError(await app.introspect({ token: tokens.access_token, ...open.who }), "invalid_client", 401, "a public client proves nothing");
  assertError(await app.revoke({ token: tokens.access_token, ...open.who }), "unauthorized_client");
  const elsewhere = await exact.client();
  assert.deepEqual(assertStatus(await exact.introspect({ token: tokens.access_token, ...elsewhere.who }), 200), { active: false });
  assertStatus(await exact.revoke({ token: tokens.access_token, ...elsewhere.who }), 200);
  assertStatus(await app.call(tokens.access_token), 200, "nothing of it has ended");
  for (const token of ["", "x", "a.b.c", `${tokens.access_token.slice(0, -4)}AAAA`, `${tokens.refresh_token.slice(0, -4)}AAAA`]) {
    if (token !== "") assert.deepEqual(assertStatus(await app.introspect({ token, ...client.who }), 200), { active: false });
    if (token !== "") assertStatus(await app.revoke({ token, ...client.who }), 200);
  }
  assertStatus(await app.refresh(client, tokens.refresh_token), 200);
});

test("attack 74: the principal decides, whatever the copies in KV say: a deleted client and its tokens are dead at once", async () => {
  for (let n = 0; n < 3; n += 1) {
    const own = await exact.client();
    const tokens = await exact.grant(own);
    assertStatus(await exact.call(tokens.access_token), 200);
    assertStatus(await exact.manage("DELETE", `/clients/${own.client_id}`), 204);
    assertError(await exact.token({ grant_type: "client_credentials", ...own.who }), "invalid_client");
    assertError(await exact.refresh(own, tokens.refresh_token), "invalid_client");
    assert.equal((await exact.call(tokens.access_token)).status, 401);
  }
});

test("attack 75: a key that is published but not in force signs neither access tokens nor ID tokens", async () => {
  const own = await turning.client({ scope: "openid orders:read" });
  const kidsOf = ({ access_token, id_token }) => [access_token, id_token].map((token) => decodeProtectedHeader(token).kid);
  const first = await turning.grant(own);
  const [kid] = kidsOf(first);
  assertStatus(await turning.manage("POST", "/keys/rotate"), 202);
  const published = async () => (await (await fetch(`${turning.issuer}/jwks`)).json()).keys.map((key) => key.kid);
  let refresh = first.refresh_token;
  for (const end = Date.now() + 10_000; (await published()).length < 2; ) {
    assert.ok(Date.now() < end, "the next key is published");
    const next = assertStatus(await turning.refresh(own, refresh), 200);
    refresh = next.refresh_token;
    assert.deepEqual(kidsOf(next), [kid, kid]);
  }
  assert.equal((await turning.manage("POST", "/keys/promote")).status, 409);
  assert.deepEqual(kidsOf(await turning.grant(own)), [kid, kid]);
});

endsWithoutLeaks();
