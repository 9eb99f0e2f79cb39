// The whole way of a client, driven by libraries that know nothing of tollgate: discovery, token, call.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";

import { accessToken, assertInvalidToken, assertPassed, call, discover, grant, insecure, register, tokenRequest } from "./support/client.mjs";
import { PORT, URL_HERE, endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { raw } from "./support/raw.mjs";
import { remember, rememberToken } from "./support/secrets.mjs";

const server = await startInstance("flow", { seedDemo: true });
const issuer = server.realms.test;
const client = await register(server, "test", { scope: "orders:admin customers:read" });

test("RFC 8414 section 3 and OpenID Connect Discovery: both addresses serve the same metadata", async () => {
  const [byRfc8414, byOpenId] = [await discover(issuer, "oauth2"), await discover(issuer, "oidc")];
  assert.deepEqual(byRfc8414, byOpenId);
  const methods = ["client_secret_basic", "client_secret_post", "none", "private_key_jwt"];
  const proving = methods.filter((method) => method !== "none");
  const signing = ["EdDSA", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"];
  assert.deepEqual(byRfc8414, {
    issuer,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    pushed_authorization_request_endpoint: `${issuer}/oauth/par`,
    token_endpoint: `${issuer}/oauth/token`,
    userinfo_endpoint: `${issuer}/oauth/userinfo`,
    end_session_endpoint: `${issuer}/oauth/logout`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    jwks_uri: `${issuer}/jwks`,
    scopes_supported: [
      ...["audit:read", "clients:manage", "credentials:manage", "customers:read", "email", "locations:admin", "locations:read", "openid"],
      ...["orders:admin", "orders:read", "profile", "sessions:manage"],
    ],
    response_types_supported: ["code"],
    response_modes_supported: ["query", "form_post"],
    prompt_values_supported: ["none", "login", "consent", "select_account"],
    authorization_response_iss_parameter_supported: true,
    request_parameter_supported: false,
    request_uri_parameter_supported: false,
    claims_parameter_supported: false,
    claims_supported: ["sub", "sid", "name", "preferred_username", "email", "email_verified", "auth_time", "acr", "amr"],
    acr_values_supported: ["urn:tollgate:acr:password"],
    grant_types_supported: ["authorization_code", "client_credentials", "refresh_token"],
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_methods_supported: methods,
    token_endpoint_auth_signing_alg_values_supported: signing,
    introspection_endpoint_auth_methods_supported: proving,
    introspection_endpoint_auth_signing_alg_values_supported: signing,
    revocation_endpoint_auth_methods_supported: methods,
    revocation_endpoint_auth_signing_alg_values_supported: signing,
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    dpop_signing_alg_values_supported: signing,
  });
});

test("the issuer is configuration, never what Host or X-Forwarded-* say", async () => {
  for (const host of [`localhost:${PORT}`, "127.0.0.2", "[::1]:1"]) {
    const headers = ["X-Forwarded-Host: evil.example", "Forwarded: host=evil.example;proto=https", "X-Original-Host: evil.example"];
    const { text } = await raw("/test/.well-known/openid-configuration", { host, headers });
    assert.deepEqual(JSON.parse(text), await discover(issuer), host);
  }
});

test("without TLS only this machine is served, whatever allow_http says", async () => {
  const token = await accessToken(client);
  for (const path of ["/test/.well-known/openid-configuration", "/test/jwks", "/orders", "/health", "/_tollgate/check"]) {
    const headers = [`Authorization: Bearer ${token}`, "X-Original-Method: GET", "X-Original-URI: /health", "X-Original-Host: api.example.com"];
    assert.equal((await raw(path, { headers })).status, 200, path);
    for (const host of ["evil.example", "10.0.0.1:8791", "127.0.0.1.evil.example", "localhost.evil.example"]) {
      assert.equal((await raw(path, { host, headers })).status, 403, `${host}${path}`);
    }
  }
});

for (const [name, method] of [
  ["client_secret_basic", oauth.ClientSecretBasic],
  ["client_secret_post", oauth.ClientSecretPost],
]) {
  test(`RFC 6749 section 2.3.1: ${name} gets a token that passes`, async () => {
    const token = await accessToken(client, { auth: method(client.client_secret) });
    assert.equal(assertPassed(await call(token, `${URL_HERE}/orders`)).length, 3);
  });
}

test("RFC 6749 sections 4.4.3 and 5.1: what the token answer says, and that nobody stores it", async () => {
  const response = await tokenRequest(client, { scope: "orders:read" });
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("pragma"), "no-cache");
  assert.equal(response.headers.get("content-type"), "application/json");
  const { access_token: token, ...rest } = await oauth.processClientCredentialsResponse(client.as, client, response);
  rememberToken(token);
  assert.deepEqual(rest, { token_type: "bearer", expires_in: 3600, scope: "orders:read" });
});

test("RFC 6749 section 3.3: a client that asks for no scope gets all of its own", async () => {
  assert.equal((await grant(client)).scope, "customers:read orders:admin");
});

test("RFC 6749 section 3.3: no scope is no `scope`, in the answer and in the token, and opens what asks for none", async () => {
  const bare = await grant(await register(server, "test", { scope: "" }));
  assert.ok(!("scope" in bare) && !("scope" in decodeJwt(bare.access_token)));
  assertPassed(await call(bare.access_token, `${URL_HERE}/echo/test/x`));
  assert.equal((await call(bare.access_token, `${URL_HERE}/orders`)).status, 403);
});

test("RFC 6749 section 4.4.3: a refresh token comes only where the client is registered for it", async () => {
  assert.equal((await grant(client)).refresh_token, undefined);
  const grants = ["client_credentials", "refresh_token"];
  const other = await register(server, "test", { grants });
  assert.deepEqual(other.grant_types, grants);
  assert.match((await grant(other)).refresh_token, /^tgr_[\w-]{92}$/);
});

test("RFC 9068 section 2: jose verifies the token with the published keys, and every header and claim is there", async () => {
  const token = await accessToken(client, { scope: "orders:read" });
  const keys = createRemoteJWKSet(new URL(client.as.jwks_uri));
  const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer, audience: URL_HERE, typ: "at+jwt", algorithms: ["ES256"] });
  const [key] = keys.jwks().keys;
  assert.deepEqual(protectedHeader, { alg: "ES256", kid: key.kid, typ: "at+jwt" });
  assert.deepEqual(Object.keys(key).sort(), ["alg", "crv", "kid", "kty", "use", "x", "y"], "no private part");
  const { iat, exp, jti, sid, ...rest } = payload;
  assert.deepEqual(rest, {
    iss: issuer,
    aud: URL_HERE,
    sub: client.client_id,
    client_id: client.client_id,
    scope: "orders:read",
    idle: 1200,
  });
  assert.ok(Math.abs(iat - Date.now() / 1000) < 10);
  assert.equal(exp - iat, 3600);
  assert.match(jti, /^[\w-]{22}$/);
  assert.match(sid, /^[\w.-]{60,}$/);
});

test("RFC 9068 section 4: oauth4webapi's validateJwtAccessToken accepts the token, for its audience only", async () => {
  const token = await accessToken(client);
  const request = () => new Request(`${URL_HERE}/orders`, { headers: { authorization: `Bearer ${token}` } });
  const validated = await oauth.validateJwtAccessToken(client.as, request(), URL_HERE, insecure);
  assert.equal(validated.client_id, client.client_id);
  await assert.rejects(oauth.validateJwtAccessToken(client.as, request(), "https://other.example", insecure));
});

test("two tokens of one client share no jti and no sid", async () => {
  const part = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
  const [one, two] = [part(await accessToken(client)), part(await accessToken(client))];
  assert.notEqual(one.jti, two.jti);
  assert.notEqual(one.sid, two.sid);
});

test("the alias /OAuth/Token takes the same form with client_id and client_secret as plain fields", async () => {
  const as = { ...client.as, token_endpoint: `${issuer}/OAuth/Token` };
  const auth = oauth.ClientSecretPost(client.client_secret);
  assertPassed(await call(await accessToken(client, { as, auth }), `${URL_HERE}/orders`));
});

test("the demo credentials reach the example API, as `make dev` prints it", async () => {
  const { TOLLGATE_CLIENT_ID: client_id, TOLLGATE_CLIENT_SECRET: client_secret, TOLLGATE_API: api, TOLLGATE_ISSUER } = server.env;
  const demo = { client_id, client_secret, as: await discover(TOLLGATE_ISSUER) };
  remember("the demo client's secret", client_secret);
  const token = await accessToken(demo);
  assert.equal(assertPassed(await call(token, api))[0].id, "o-1001");
  assert.equal((await call(token, `${URL_HERE}/locations`)).status, 403);
});

test("must hold 1: one token, and every answer that the gate has for it", async () => {
  const token = await accessToken(client, { scope: "customers:read" });
  assert.equal(assertPassed(await call(token, `${URL_HERE}/customers`))[0].name, "Ada Lovelace");
  const lacking = await call(token, `${URL_HERE}/orders`);
  assert.equal(lacking.status, 403);
  assert.deepEqual(lacking.challenges, [{ scheme: "bearer", parameters: { error: "insufficient_scope", scope: "orders:read" } }]);
  assertInvalidToken(await call("garbage", `${URL_HERE}/customers`));
  assert.equal((await call(token, `${URL_HERE}/nowhere`)).status, 404);
  const { status, headers } = await fetch(`${URL_HERE}/customers`);
  assert.deepEqual([status, headers.get("www-authenticate")], [401, 'Bearer realm="tollgate"']);
});

test("tokens of two realms are signed with two keys", async () => {
  const token = await accessToken(await register(server, "sandbox"));
  const own = await accessToken(client);
  assert.notEqual(decodeProtectedHeader(token).kid, decodeProtectedHeader(own).kid);
  assertPassed(await call(token, `${URL_HERE}/echo/sandbox/x`));
});

endsWithoutLeaks();
