// The issuer as client libraries see it that know nothing of tollgate: every grant, every way to authenticate, registration.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRemoteJWKSet, decodeJwt, exportJWK, generateKeyPair, jwtVerify } from "jose";

import { HERE, REDIRECT, ask, assertError, assertStatus, realmOf, seconds, startIssuer } from "./support/issuer.mjs";
import { endsWithoutLeaks } from "./support/instance.mjs";
import { LIBRARIES, assertRejects } from "./support/libraries.mjs";
import { remember, rememberToken } from "./support/secrets.mjs";

const INITIAL = remember("the initial access token", "initial-0123456789abcdef0123456789abcdef");
const server = await startIssuer("libraries", { secrets: { TOLLGATE_INITIAL_ACCESS_TOKEN: INITIAL } });
const [app, exact] = [realmOf(server, "app"), realmOf(server, "exact")];
const user = await app.user();

async function signingKey(alg) {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const kid = `key-${alg}`;
  return { jwk: { ...(await exportJWK(publicKey)), kid, alg, use: "sig" }, key: { key: privateKey, kid } };
}

const keep = (tokens) => {
  rememberToken(tokens.access_token);
  if (tokens.id_token) rememberToken(tokens.id_token);
  if (tokens.refresh_token) remember("a refresh token", tokens.refresh_token);
  return tokens;
};

const METHODS = [["client_secret_basic"], ["client_secret_post"], ["private_key_jwt", "ES256"], ["private_key_jwt", "RS256"]];

for (const library of LIBRARIES) {
  for (const [method, alg] of METHODS) {
    test(`${library.name}: ${method}${alg ? ` with ${alg}` : ""}: grant, introspect, refresh, revoke`, async () => {
      const signing = alg ? await signingKey(alg) : undefined;
      const metadata = { token_endpoint_auth_method: method, ...(signing && { jwks: { keys: [signing.jwk] } }) };
      const client = { ...(await app.client({ ...metadata, scope: "orders:read openid" })), ...(signing && { key: signing.key }) };
      const by = await library.open(app.issuer, client, method);
      const first = keep(await by.grant({ scope: "orders:read" }));
      assert.equal(first.scope, "orders:read");
      assertStatus(await app.call(first.access_token, "/orders"), 200);

      const { exp, ...about } = await by.introspect(first.access_token);
      const claims = decodeJwt(first.access_token);
      assert.deepEqual(
        [about.active, about.client_id, about.sub, about.iss, about.scope, about.jti, exp],
        [true, client.client_id, client.client_id, app.issuer, "orders:read", claims.jti, claims.exp],
      );
      assert.equal((await by.introspect(first.refresh_token)).active, true);

      const second = keep(await by.refresh(first.refresh_token));
      assert.notEqual(second.refresh_token, first.refresh_token);
      assert.equal(decodeJwt(second.access_token).sid, claims.sid, "one session");
      assert.equal((await by.introspect(first.refresh_token)).active, false, "it is spent");
      const third = keep(await by.refresh(second.refresh_token));

      await by.revoke(third.refresh_token);
      await assertRejects(by.refresh(third.refresh_token), "invalid_grant");
      assert.deepEqual({ ...(await by.introspect(third.access_token)) }, { active: false });
      await by.revoke("of no shape at all");
    });
  }

  test(`${library.name}: a public client redeems a code with PKCE; the ID token says who signed in`, async () => {
    const client = await app.app();
    const by = await library.open(app.issuer, client, "none");
    const nonce = "n-0S6_WzA2Mj";
    const tokens = keep(await by.redeem({ ...(await app.code(user, client, { scope: "orders:read openid", nonce })), nonce }));
    const { payload } = await jwtVerify(tokens.id_token, createRemoteJWKSet(new URL(by.as.jwks_uri)), { issuer: app.issuer, audience: client.client_id, typ: "JWT" });
    assert.deepEqual([payload.sub, payload.nonce], [user.id, nonce]);
    assert.ok(Math.abs(payload.auth_time - seconds()) < 10);
    assert.equal(decodeJwt(tokens.access_token).sub, user.id);
    assertStatus(await app.call(tokens.access_token, "/orders"), 200);
    const next = keep(await by.refresh(tokens.refresh_token));
    assert.deepEqual(decodeJwt(next.access_token).roles, ["editor", "viewer"]);
    await by.revoke(next.access_token);
    await assertRejects(by.refresh(next.refresh_token), "invalid_grant");
    await assertRejects(by.redeem({ ...(await app.code(user, client)), code_verifier: remember("a code verifier", "x".repeat(43)) }), "invalid_grant");
  });

  test(`${library.name}: RFC 7591 and RFC 7592: a client registers itself, reads, replaces and deletes itself`, async () => {
    const metadata = { client_name: "Own", grant_types: ["client_credentials"], response_types: [], scope: "orders:read", logo_uri: "https://app.example/logo" };
    const client = await library.register(app.issuer, metadata);
    remember("a client secret", client.client_secret);
    const bearer = remember("a registration access token", client.registration_access_token);
    assert.match(bearer, /^tgm_[\w-]{49}$/);
    assert.equal(client.logo_uri, undefined, "what is ignored is not repeated");
    const by = await library.open(app.issuer, client, "client_secret_basic");
    keep(await by.grant({ scope: "orders:read" }));
    const url = client.registration_client_uri;
    assert.equal(url, `${app.issuer}/oauth/register/${client.client_id}`);

    const read = assertStatus(await ask(url, { method: "GET", bearer }), 200);
    assert.deepEqual([read.client_name, read.scope, read.client_secret], ["Own", "orders:read", undefined]);
    const put = (changes) => ask(url, { method: "PUT", bearer, json: { ...metadata, client_id: client.client_id, ...changes } });
    assert.equal(assertStatus(await put({ client_name: "Other", scope: "" }), 200).client_name, "Other");
    await assertRejects(by.grant({ scope: "orders:read" }), "invalid_scope");
    for (const changes of [{ client_id: "other" }, { client_secret: "mine" }, { scope: "orders:admin" }, { roles: ["owner"] }, { introspect: true }]) {
      assertError(await put(changes), "invalid_client_metadata", 400, JSON.stringify(changes));
    }
    for (const wrong of ["tgm_wrong", server.bootstrapToken, client.client_secret]) {
      const { status } = await ask(url, { method: "GET", bearer: wrong });
      assert.equal(status, 401);
    }
    assertStatus(await ask(url, { method: "DELETE", bearer }), 204);
    await assertRejects(by.grant({}), "invalid_client").catch(async () => {
      // Some libraries report a challenge and not the body.
      assertError(await app.token({ grant_type: "client_credentials", client_id: client.client_id, client_secret: client.client_secret }), "invalid_client");
    });
    assert.equal((await ask(url, { method: "GET", bearer })).status, 401);
  });

  test(`${library.name}: registration that is guarded needs the initial access token`, async () => {
    const metadata = { client_name: "Guarded", redirect_uris: [REDIRECT], token_endpoint_auth_method: "none" };
    await assert.rejects(library.register(exact.issuer, metadata));
    await assert.rejects(library.register(exact.issuer, metadata, `${INITIAL}x`));
    const client = await library.register(exact.issuer, metadata, INITIAL);
    remember("a registration access token", client.registration_access_token);
    assert.equal(client.client_secret, undefined);
    assert.deepEqual(client.grant_types, ["authorization_code"]);
  });
}

test("OpenID Connect Core section 2: client_credentials with `openid` gets an ID token that jose verifies", async () => {
  const client = await app.client({ scope: "openid orders:read" });
  const { id_token, access_token } = await app.grant(client, { scope: "openid" });
  const keys = createRemoteJWKSet(new URL(`${app.issuer}/jwks`));
  const { payload, protectedHeader } = await jwtVerify(id_token, keys, { issuer: app.issuer, audience: client.client_id, typ: "JWT", algorithms: ["ES256"] });
  assert.deepEqual(Object.keys(payload).sort(), ["at_hash", "aud", "azp", "exp", "iat", "iss", "sub"]);
  assert.deepEqual([payload.sub, protectedHeader.typ], [client.client_id, "JWT"]);
  assert.equal((await app.call(id_token, "/orders")).status, 401, "attack 49: an ID token is no access token");
  assertStatus(await app.call(access_token, "/orders"), 403);
  assert.ok(!("id_token" in (await app.grant(client, { scope: "orders:read" }))));
});

test("attack 74: a client is usable at once where it was registered, also right after it was looked for in vain", async () => {
  const unknown = { grant_type: "client_credentials", client_id: "AAAAAAAAAAAAAAAAAAAAAA", client_secret: "x" };
  assertError(await app.token(unknown), "invalid_client");
  for (let n = 0; n < 5; n += 1) await app.grant(await app.client());
});

test("the metadata says what there is", async () => {
  const { body } = await ask(`${HERE}/.well-known/oauth-authorization-server/app`, { method: "GET" });
  assert.equal(body.registration_endpoint, `${app.issuer}/oauth/register`);
  assert.deepEqual(body.grant_types_supported, ["authorization_code", "client_credentials", "password", "refresh_token"]);
  assert.equal((await ask(`${HERE}/.well-known/oauth-authorization-server/cutoff`, { method: "GET" })).body.registration_endpoint, undefined);
  for (const name of ["token", "introspection", "revocation"]) assert.ok(body[`${name}_endpoint`].startsWith(`${app.issuer}/oauth/`));
});

endsWithoutLeaks();
