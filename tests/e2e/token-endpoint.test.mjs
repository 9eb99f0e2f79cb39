// What the token endpoint and the registration refuse, and how they say it.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as oauth from "oauth4webapi";

import { accessToken, grant, insecure, register, tokenRequest } from "./support/client.mjs";
import { URL_HERE, endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { remember } from "./support/secrets.mjs";

const server = await startInstance("token-endpoint");
const client = await register(server, "test", { scope: "orders:admin internal:jobs" });
const endpoint = client.as.token_endpoint;
await accessToken(client); // the keys are made, and the log is on

const FORM = "application/x-www-form-urlencoded";
const basic = `Basic ${Buffer.from(`${client.client_id}:${client.client_secret}`).toString("base64")}`;
remember("a Basic credential", basic.slice(6));

/** For requests that no client library sends. */
async function post(body, { headers = {}, method = "POST", url = endpoint } = {}) {
  const response = await fetch(url, { method, headers: { "content-type": FORM, ...headers }, body });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** What the management API says of a registration: problem details (RFC 9457), with the code of RFC 7591 section 3.2.2. */
function assertUnfit(answer, code, about) {
  assert.deepEqual([answer.status, answer.headers.get("content-type")], [400, "application/problem+json"], about);
  const { error, error_description: text, detail, status } = JSON.parse(answer.text);
  assert.deepEqual([error, text, status], [code, detail, 400], about);
  assert.equal(answer.headers.get("cache-control"), "no-store", about);
}

/** RFC 6749 section 5.2: status, code, a constant text, and nothing to store. */
function assertError(answer, status, code, about) {
  assert.equal(answer.status, status, about);
  const { error, error_description: text, ...rest } = JSON.parse(answer.text);
  assert.equal(error, code, about);
  assert.match(text, /^[\x20\x21\x23-\x5b\x5d-\x7e]+$/, about);
  assert.deepEqual(rest, {}, about);
  assert.equal(answer.headers.get("cache-control"), "no-store", about);
  assert.equal(answer.headers.get("pragma"), "no-cache", about);
  assert.equal(answer.headers.get("content-type"), "application/json", about);
}

async function refused(promise) {
  const response = await promise;
  return { status: response.status, headers: response.headers, text: await response.text() };
}

const flipped = (secret) => secret.slice(0, -7) + (secret.at(-7) === "A" ? "B" : "A") + secret.slice(-6);

test("attack_63 a wrong secret and an unknown client get the same answer", async () => {
  const sandbox = await register(server, "sandbox");
  const bodies = new Set();
  const { as, client_id, client_secret } = client;
  for (const [about, wrong] of Object.entries({
    "another client's secret": { as, client_id, client_secret: sandbox.client_secret },
    "a secret with one character changed": { as, client_id, client_secret: flipped(client_secret) },
    "no secret at all": { as, client_id, client_secret: "guess" },
    "an unknown client": { as, client_id: "AAAAAAAAAAAAAAAAAAAAAA", client_secret },
    "a client of another realm": { as, client_id: sandbox.client_id, client_secret: sandbox.client_secret },
    "a client_id that is none": { as, client_id: "client:test:x", client_secret },
    "a very long client_id": { as, client_id: "x".repeat(4000), client_secret },
  })) {
    for (const method of [oauth.ClientSecretBasic, oauth.ClientSecretPost]) {
      for (const scope of [undefined, "orders:read", "orders:write"]) {
        const answer = await refused(tokenRequest(wrong, { auth: method(wrong.client_secret), scope }));
        assertError(answer, 401, "invalid_client", about);
        assert.equal(answer.headers.get("www-authenticate"), 'Basic realm="tollgate", charset="UTF-8"', about);
        bodies.add(answer.text);
      }
    }
  }
  assert.equal(bodies.size, 1);
});

test("attack_63 oauth4webapi reads the refusal as a challenge", async () => {
  const response = await tokenRequest({ ...client, client_secret: "guess" });
  await assert.rejects(oauth.processClientCredentialsResponse(client.as, client, response), (error) => {
    assert.ok(error instanceof oauth.WWWAuthenticateChallengeError);
    assert.deepEqual(error.cause, [{ scheme: "basic", parameters: { realm: "tollgate", charset: "UTF-8" } }]);
    return true;
  });
});

test("RFC 6749 section 2.3: no authentication is 401, authentication in two ways is 400 invalid_request", async () => {
  assertError(await post("grant_type=client_credentials"), 401, "invalid_client");
  assertError(await post(`grant_type=client_credentials&client_id=${client.client_id}`), 401, "invalid_client");
  const { client_id: id, client_secret: secret } = client;
  const inForm = `grant_type=client_credentials&client_id=${id}&client_secret=${secret}`;
  assertError(await post(inForm, { headers: { authorization: basic } }), 400, "invalid_request");
  assertError(await post(inForm, { headers: { authorization: "Bearer x" } }), 400, "invalid_request");
  assertError(await post("grant_type=client_credentials&client_id=other", { headers: { authorization: basic } }), 400, "invalid_request");
  const same = await post(`grant_type=client_credentials&client_id=${id}&scope=unheard-of`, { headers: { authorization: basic } });
  assertError(same, 400, "invalid_scope", "the same client_id beside Basic is one way");
  for (const header of ["Basic", "Basic !", "Basic YTpi", `Bearer ${basic.slice(6)}`, `${basic}, ${basic}`, `Basic\t${basic.slice(6)}`]) {
    assertError(await post("grant_type=client_credentials", { headers: { authorization: header } }), 401, "invalid_client", header.slice(0, 6));
  }
});

test("attack_64 a parameter that stands twice is invalid_request, also one that nobody knows", async () => {
  const headers = { authorization: basic };
  const resource = "resource=https%3A%2F%2Fapi.example.com";
  for (const twice of ["grant_type=client_credentials", "scope=orders:read", "scope=", "unheard=1", "client_id=x", "%73cope=orders:read", resource]) {
    const once = `grant_type=client_credentials&scope=orders:read&unheard=1&client_id=x&${resource}`;
    assertError(await post(`${once}&${twice}`, { headers }), 400, "invalid_request", twice);
  }
});

test("attack_64 only a form is read, and only a short one", async () => {
  const headers = { authorization: basic };
  for (const type of ["application/json", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded-not"]) {
    assertError(await post("grant_type=client_credentials", { headers: { ...headers, "content-type": type } }), 400, "invalid_request", type);
  }
  const without = await fetch(endpoint, { method: "POST", headers, body: new Uint8Array(Buffer.from("grant_type=client_credentials")) });
  assert.equal(without.status, 400, "no content type at all");
  assertError(await post("", { headers }), 400, "invalid_request");
  for (const length of [16 * 1024, 200 * 1024]) {
    assertError(await post(`grant_type=client_credentials&x=${"x".repeat(length)}`, { headers }), 400, "invalid_request", `${length}`);
  }
  // Said to be long, it is not read at all; a stream of unsaid length is given up on the way.
  const huge = "x".repeat(4 * 1024 * 1024);
  assertError(await post(huge, { headers }), 400, "invalid_request", "4 MB");
  assertError(await post(`grant_type=client_credentials&x=${huge}`, { headers }), 400, "invalid_request", "4 MB that begin well");
  await accessToken(client, { scope: "orders:read" });
});

test("RFC 6749 section 3.2: only POST; others are 405 with Allow", async () => {
  for (const path of ["/oauth/token", "/OAuth/Token"]) {
    for (const method of ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]) {
      const answer = await post(undefined, { method, url: `${client.as.issuer}${path}?grant_type=client_credentials` });
      assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "POST"], `${method} ${path}`);
    }
  }
  const jwks = await post("", { url: client.as.jwks_uri });
  assert.deepEqual([jwks.status, jwks.headers.get("allow")], [405, "GET, HEAD"]);
  assert.equal((await post("", { url: `${endpoint}/` })).status, 404);
});

test("attack_65 another grant is unsupported_grant_type, a missing one invalid_request", async () => {
  const headers = { authorization: basic };
  const form = (grant_type) => new URLSearchParams({ grant_type, username: "u", password: "p", code: "c", refresh_token: "r" });
  for (const type of ["password", "code", "token", "id_token", "implicit", "CLIENT_CREDENTIALS", "client_credentials "]) {
    assertError(await post(form(type), { headers }), 400, "unsupported_grant_type", type);
  }
  for (const type of ["authorization_code", "refresh_token"]) {
    assertError(await post(form(type), { headers }), 400, "unauthorized_client", `${type}: the client is not registered for it`);
  }
  assertError(await post("scope=orders:read", { headers }), 400, "invalid_request");
  const auth = oauth.ClientSecretBasic(client.client_secret);
  const generic = await oauth.genericTokenEndpointRequest(client.as, client, auth, "urn:x:y", {}, insecure);
  await assert.rejects(oauth.processGenericTokenEndpointResponse(client.as, client, generic), { error: "unsupported_grant_type", status: 400 });
});

test("RFC 6749 section 3.3: a scope that is malformed, unknown or not the client's is invalid_scope, whole", async () => {
  const malformed = ["orders:read  orders:admin", " orders:read", 'orders"read'];
  for (const scope of [...malformed, "customers:read", "orders:read customers:read", "unheard-of", "ORDERS:READ", "locations:read"]) {
    assertError(await refused(tokenRequest(client, { scope })), 400, "invalid_scope", scope);
  }
  await assert.rejects(grant(client, { scope: "customers:read" }), (error) => {
    assert.ok(error instanceof oauth.ResponseBodyError);
    assert.deepEqual([error.error, error.status], ["invalid_scope", 400]);
    return true;
  });
  assert.equal((await grant(client, { scope: "orders:read" })).scope, "orders:read", "implied by what it has");
  assert.equal((await grant(client, { scope: "internal:jobs" })).scope, "internal:jobs", "registered by name");
});

test("a scope that is internal is not in the metadata", () => {
  assert.ok(!client.as.scopes_supported.includes("internal:jobs"));
});

test("attack_63 a secret in the URL is refused even when it is right", async () => {
  const { client_id: id, client_secret: secret } = client;
  for (const query of [`client_id=${id}&client_secret=${secret}`, "client_secret=x"]) {
    for (const headers of [{}, { authorization: basic }]) {
      assertError(await post("grant_type=client_credentials", { url: `${endpoint}?${query}`, headers }), 400, "invalid_request");
    }
  }
});

test("attack_71 the token endpoint answers no other origin", async () => {
  const answer = await post("grant_type=client_credentials&scope=x", { headers: { authorization: basic, origin: "https://evil.example" } });
  assert.equal(answer.headers.get("access-control-allow-origin"), null);
});

test("an unknown realm, or an unknown path of one, is 404", async () => {
  const metadata = ["/nobody/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/nobody"];
  for (const path of ["/nobody/oauth/token", "/nobody/jwks", ...metadata]) {
    assert.equal((await fetch(`${URL_HERE}${path}`)).status, 404, path);
  }
  for (const path of ["/nobody/oauth/token", "/nobody/api/v1/clients", "/test/api/v1/clients/", "/test/api/v1/nothing", "/test/oauth/Token", "/TEST/oauth/token"]) {
    assert.equal((await post("", { url: `${URL_HERE}${path}` })).status, 404, path);
  }
});

const registration = (issuer = client.as.issuer) => ({ issuer, registration_endpoint: `${issuer}/api/v1/clients` });
const tryRegister = async (metadata, { initialAccessToken, as = registration() } = {}) =>
  oauth.dynamicClientRegistrationRequest(as, metadata, { ...insecure, initialAccessToken: initialAccessToken ?? (await server.operators.token("test")) });

test("registration without an operator's token is 401 with a bare challenge, with another one 401 invalid_token, or 403", async () => {
  const url = registration().registration_endpoint;
  const operators = await server.operators.token("test");
  for (const headers of [{}, { authorization: `Basic ${operators}` }]) {
    const answer = await post('{"client_name":"x"}', { url, headers });
    assert.deepEqual([answer.status, answer.headers.get("www-authenticate")], [401, 'Bearer realm="tollgate"']);
  }
  const own = await accessToken(client);
  const bodies = new Set();
  for (const [about, given] of Object.entries({
    wrong: "tgb_wrong",
    "a client's secret": client.client_secret,
    "the bootstrap token": server.bootstrapToken,
    "another realm's": await server.operators.token("sandbox"),
    "its beginning": operators.slice(0, -2),
    "more than it": `${operators}A`,
  })) {
    // Whether the metadata is good does not show either.
    for (const metadata of [{ client_name: "x" }, {}, { client_name: "x", unheard: 1 }]) {
      const answer = await refused(tryRegister(metadata, { initialAccessToken: given }));
      assert.deepEqual([answer.status, answer.headers.get("www-authenticate")], [401, 'Bearer error="invalid_token"'], about);
      bodies.add(answer.text);
    }
  }
  assert.equal(bodies.size, 1);
  const twice = await post("{}", { url, headers: { authorization: `Bearer ${operators}, Bearer x` } });
  assert.equal(twice.status, 400);
  const scopeless = await post('{"client_name":"x"}', { url, headers: { authorization: `Bearer ${own}` } });
  assert.deepEqual([scopeless.status, scopeless.headers.get("www-authenticate")], [403, 'Bearer error="insufficient_scope", scope="clients:manage"']);
});

test("attack_66 registration takes what it knows and refuses the rest: 400 invalid_client_metadata", async () => {
  for (const metadata of [
    {},
    { client_name: "" },
    { client_name: "  " },
    { client_name: "x".repeat(101) },
    { client_name: "a\nb" },
    { client_name: 7 },
    { client_name: "x", scope: "unheard-of" },
    { client_name: "x", scope: "orders:read  orders:admin" },
    { client_name: "x", scope: ["orders:read"] },
    { client_name: "x", grant_types: [] },
    { client_name: "x", grant_types: ["refresh_token"] },
    { client_name: "x", grant_types: ["password"] },
    { client_name: "x", grant_types: "client_credentials" },
    { client_name: "x", client_id: "mine" },
    { client_name: "x", client_secret: "mine" },
    { client_name: "x", realm: "sandbox" },
    { client_name: "x", jwks_uri: "http://127.0.0.1:8792/" },
    { client_name: "x", logo_uri: "http://127.0.0.1:8792/" },
    { client_name: "x", grant_types: ["authorization_code"], redirect_uris: ["https://app.example/cb"], response_types: ["token"] },
    { client_name: "x", token_endpoint_auth_method: "none" },
    { client_name: "x", token_endpoint_auth_method: "client_secret_jwt" },
    { client_name: "x", token_endpoint_auth_method: "private_key_jwt" },
    { client_name: "x", jwks: { keys: [{ kty: "oct", k: "AAAA", kid: "a" }] } },
    { client_name: "x", roles: ["unheard-of"] },
    { client_name: "x", access_token_seconds: 0 },
  ]) {
    assertUnfit(await refused(tryRegister(metadata)), "invalid_client_metadata", JSON.stringify(metadata).slice(0, 60));
  }
  for (const uri of ["javascript:alert(1)", "data:text/html,x", "http://app.example/cb", "https://app.example/cb#x", "https://a@app.example/cb", "/cb"]) {
    assertUnfit(await refused(tryRegister({ client_name: "x", redirect_uris: [uri] })), "invalid_redirect_uri", uri);
  }
  const headers = { authorization: `Bearer ${await server.operators.token("test")}`, "content-type": "application/json" };
  for (const body of ["", "x", "[]", "null", '{"client_name":"a","client_name":"b"}']) {
    assertUnfit(await post(body, { url: registration().registration_endpoint, headers }), "invalid_client_metadata", body.slice(0, 40));
  }
  const large = await post(`{"client_name":"x","scope":"${"x".repeat(33_000)}"}`, { url: registration().registration_endpoint, headers });
  assert.equal(large.status, 413);
});

test("registration in a realm that is none is 404; with a method that nothing has it is 405", async () => {
  const nobody = await tryRegister({ client_name: "x" }, { as: registration(`${URL_HERE}/nobody`), initialAccessToken: "tgx" });
  assert.equal(nobody.status, 404);
  assert.equal((await fetch(registration().registration_endpoint, { method: "PATCH" })).status, 405);
});

test("RFC 7591 section 3.2.1: a registration answers once with the secret, which nobody stores", async () => {
  const response = await tryRegister({ client_name: "Ünïcode & <name>", scope: "orders:read" });
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("pragma"), "no-cache");
  const { client_id, client_secret, ...rest } = await oauth.processDynamicClientRegistrationResponse(response);
  remember("a client secret", client_secret);
  assert.match(client_id, /^[\w-]{22}$/);
  assert.match(client_secret, /^tgs_[\w-]{49}$/);
  const { created_at } = rest;
  assert.ok(Math.abs(created_at - Date.now() / 1000) < 60);
  assert.deepEqual(rest, {
    created_at,
    secrets: [{ created_at }],
    live_sessions: 0,
    usage: [],
    client_secret_expires_at: 0,
    client_name: "Ünïcode & <name>",
    grant_types: ["client_credentials"],
    response_types: [],
    redirect_uris: [],
    token_endpoint_auth_method: "client_secret_basic",
    scope: "orders:read",
  });
});

endsWithoutLeaks();
