// Tokens that are bound to a key (RFC 9449): two client libraries, and what neither of them would send.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

import { endsWithoutLeaks } from "./support/instance.mjs";
import { HERE, REDIRECT, ask, assertError, assertStatus, realmOf, startIssuer } from "./support/issuer.mjs";
import { Person } from "./support/person.mjs";
import { newKey } from "./support/proofs.mjs";
import { remember, rememberToken } from "./support/secrets.mjs";
import { talk } from "./support/wire.mjs";

const server = await startIssuer("dpop");
const [app, nonce, cutoff] = ["app", "nonce", "cutoff"].map((name) => realmOf(server, name));
const insecure = { [oauth.allowInsecureRequests]: true };
const METADATA = { grant_types: ["authorization_code", "refresh_token"], redirect_uris: [REDIRECT], scope: "openid profile orders:read" };
const cnfOf = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url")).cnf;

function keep(tokens) {
  rememberToken(tokens.access_token);
  if (tokens.id_token) rememberToken(tokens.id_token);
  if (tokens.refresh_token) remember("a refresh token", tokens.refresh_token);
  assert.equal(tokens.token_type, "dpop");
  assert.match(cnfOf(tokens.access_token).jkt, /^[\w-]{43}$/);
  return tokens;
}

for (const alg of ["ES256", "Ed25519", "PS256"]) {
  test(`oauth4webapi: code with PKCE, refresh, userinfo and the gate with DPoP, by a key of ${alg}`, async () => {
    const client = await app.client({ ...METADATA, token_endpoint_auth_method: "none", dpop_bound_access_tokens: true });
    const user = await app.user({ profile: { name: "Ada Lovelace" } });
    const as = await oauth.processDiscoveryResponse(new URL(app.issuer), await oauth.discoveryRequest(new URL(app.issuer), insecure));
    const me = { client_id: client.client_id };
    const DPoP = oauth.DPoP(me, await oauth.generateKeyPair(alg));
    const [verifier, nonce, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomNonce(), oauth.generateRandomState()];
    const url = new URL(as.authorization_endpoint);
    const code_challenge = await oauth.calculatePKCECodeChallenge(verifier);
    const dpop_jkt = await DPoP.calculateThumbprint();
    const all = { client_id: me.client_id, redirect_uri: REDIRECT, response_type: "code", scope: METADATA.scope, code_challenge, code_challenge_method: "S256", nonce, state, dpop_jkt };
    url.search = new URLSearchParams(all);
    const parameters = oauth.validateAuthResponse(as, me, new URL(await new Person(user.login).visit(url)), state);
    const redeem = (options) => oauth.authorizationCodeGrantRequest(as, me, oauth.None(), parameters, REDIRECT, verifier, { ...insecure, ...options });
    const tokens = keep(await oauth.processAuthorizationCodeResponse(as, me, await redeem({ DPoP }), { expectedNonce: nonce, requireIdToken: true }));
    assert.deepEqual(cnfOf(tokens.access_token), { jkt: dpop_jkt });
    const told = await oauth.processUserInfoResponse(as, me, user.id, await oauth.userInfoRequest(as, me, tokens.access_token, { ...insecure, DPoP }));
    assert.equal(told.name, "Ada Lovelace");
    const refreshed = await oauth.refreshTokenGrantRequest(as, me, oauth.None(), tokens.refresh_token, { ...insecure, DPoP });
    const next = keep(await oauth.processRefreshTokenResponse(as, me, refreshed));
    const answer = await oauth.protectedResourceRequest(next.access_token, "GET", new URL(`${HERE}/echo/app/x?a=1`), undefined, undefined, { ...insecure, DPoP });
    assert.equal(answer.status, 200);
    const seen = JSON.stringify(await answer.json());
    assert.ok(!/"(dpop|authorization)"/i.test(seen), "neither goes on to the upstream");
    // Another key, and none.
    const thief = oauth.DPoP(me, await oauth.generateKeyPair("ES256"));
    for (const options of [{ DPoP: thief }, {}]) {
      const refused = await oauth.refreshTokenGrantRequest(as, me, oauth.None(), next.refresh_token, { ...insecure, ...options });
      assert.equal(refused.status, 400);
    }
    assert.equal((await app.call(next.access_token)).status, 401, "attack_51 as a bearer token");
  });
}

for (const realm of [app, nonce]) {
  test(`openid-client: code with PKCE, pushed, refresh, userinfo and the gate with DPoP, in the realm ${realm.name}`, async () => {
    const client = await realm.client({ ...METADATA, require_pushed_authorization_requests: true });
    const user = await realm.user();
    const config = await openid.discovery(new URL(realm.issuer), client.client_id, {}, openid.ClientSecretBasic(client.client_secret), { execute: [openid.allowInsecureRequests] });
    const DPoP = openid.getDPoPHandle(config, await openid.randomDPoPKeyPair());
    const [verifier, state] = [openid.randomPKCECodeVerifier(), openid.randomState()];
    const code_challenge = await openid.calculatePKCECodeChallenge(verifier);
    const all = { redirect_uri: REDIRECT, scope: METADATA.scope, code_challenge, code_challenge_method: "S256", state };
    const url = await openid.buildAuthorizationUrlWithPAR(config, all, { DPoP });
    const address = new URL(await new Person(user.login).visit(url));
    const checks = { pkceCodeVerifier: verifier, expectedState: state };
    const tokens = keep(await openid.authorizationCodeGrant(config, address, checks, undefined, { DPoP }));
    assert.equal((await openid.fetchUserInfo(config, tokens.access_token, user.id, { DPoP })).sub, user.id);
    const next = keep(await openid.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP }));
    for (let round = 0; round < 3; round += 1) {
      const answer = await openid.fetchProtectedResource(config, next.access_token, new URL(`${HERE}/echo/${realm.name}/x`), "GET", undefined, undefined, { DPoP });
      assert.equal(answer.status, 200);
    }
    const told = await openid.tokenIntrospection(config, next.access_token);
    assert.deepEqual([told.active, told.token_type, told.cnf], [true, "DPoP", cnfOf(next.access_token)]);
  });
}

/** A bound token of a machine, and how it is presented. */
async function bound(realm, key = newKey()) {
  const client = await realm.client({ grant_types: ["client_credentials"] });
  const at = `${realm.issuer}/oauth/token`;
  const form = { grant_type: "client_credentials", ...client.who };
  const proved = (options) => ask(at, { form, headers: { dpop: key.proof("POST", at, options) } });
  const { access_token: token } = assertStatus(await proved(), 200);
  const url = `${HERE}/echo/${realm.name}/x`;
  const show = (proof, path = url) => ask(path, { method: "GET", headers: { authorization: `DPoP ${token}`, ...(proof === undefined ? {} : { dpop: proof }) } });
  return { client, token, key, at, form, url, show, proved };
}

function assertRefused(answer, error, about) {
  assert.equal(answer.status, 401, `${about} ${answer.text}`);
  assert.match(answer.headers.get("www-authenticate"), new RegExp(`^DPoP algs="EdDSA ES256 [^"]*", error="${error}"$`), about);
}

test("attack_58 one proof counts once, of many that come at once, at the gate and at the token endpoint", async () => {
  for (const realm of [app, cutoff]) {
    const { token, key, url, show, at, form } = await bound(realm);
    for (let round = 0; round < 3; round += 1) {
      const proof = key.proof("GET", url, { token });
      const answers = await Promise.all(Array.from({ length: 20 }, () => show(proof)));
      const passed = answers.filter(({ status }) => status === 200);
      assert.equal(passed.length, 1, "exactly one");
      for (const answer of answers) if (answer.status !== 200) assertRefused(answer, "invalid_dpop_proof", "replayed");
      const asked = key.proof("POST", at);
      const grants = await Promise.all(Array.from({ length: 20 }, () => ask(at, { form, headers: { dpop: asked } })));
      assert.equal(grants.filter(({ status }) => status === 200).length, 1, "exactly one");
      for (const answer of grants) if (answer.status !== 200) assertError(answer, "invalid_dpop_proof");
    }
  }
});

test("attack_58 proofs of something else, or of nothing", async () => {
  const { token, key, url, show, proved } = await bound(app);
  const now = Math.floor(Date.now() / 1000);
  assert.equal((await show(key.proof("GET", `${url}?a=1#b`, { token }))).status, 200);
  const wrong = {
    "no proof": undefined,
    "no JWT": "x",
    "another method": key.proof("POST", url, { token }),
    "another path": key.proof("GET", `${HERE}/echo/app/y`, { token }),
    "another host": key.proof("GET", "http://evil.example/echo/app/x", { token }),
    "no ath": key.proof("GET", url),
    "another token": key.proof("GET", url, { token: "another" }),
    "another key": newKey().proof("GET", url, { token }),
    "another key inside": key.proof("GET", url, { token, header: { jwk: newKey().jwk } }),
    "a private part": key.proof("GET", url, { token, header: { jwk: { ...key.jwk, d: "AAAA" } } }),
    "no key": key.proof("GET", url, { token, header: { jwk: undefined } }),
    "no alg": key.proof("GET", url, { token, header: { alg: undefined } }),
    "a signature that is none": `${key.proof("GET", url, { token }).split(".").slice(0, 2).join(".")}.${"A".repeat(86)}`,
    "another signature": `${key.proof("GET", url, { token }).split(".").slice(0, 2).join(".")}.${key.proof("GET", url, { token }).split(".")[2]}`,
    "no signature": `${key.proof("GET", url, { token }).split(".").slice(0, 2).join(".")}.`,
    "another typ": key.proof("GET", url, { token, header: { typ: "JWT" } }),
    "no typ": key.proof("GET", url, { token, header: { typ: undefined } }),
    none: key.proof("GET", url, { token, header: { alg: "none" } }),
    "a shared secret": key.proof("GET", url, { token, header: { alg: "HS256" } }),
    "another alg": key.proof("GET", url, { token, header: { alg: "RS256" } }),
    "an hour ago": key.proof("GET", url, { token, claims: { iat: now - 3600 } }),
    "in an hour": key.proof("GET", url, { token, claims: { iat: now + 3600 } }),
    "no iat": key.proof("GET", url, { token, claims: { iat: undefined } }),
    "no jti": key.proof("GET", url, { token, claims: { jti: undefined } }),
    "a long jti": key.proof("GET", url, { token, claims: { jti: "x".repeat(300) } }),
    "no htm": key.proof("GET", url, { token, claims: { htm: undefined } }),
    "no htu": key.proof("GET", url, { token, claims: { htu: undefined } }),
    "two of them": `${key.proof("GET", url, { token })}, ${key.proof("GET", url, { token })}`,
  };
  for (const [about, proof] of Object.entries(wrong)) assertRefused(await show(proof), "invalid_dpop_proof", about);
  // By hand, because a library would write the names its own way: in any case they are one name, and two fields of it are two proofs.
  const byHand = async (...lines) => {
    const { pathname, host, port } = new URL(url);
    const head = [`GET ${pathname} HTTP/1.1`, `Host: ${host}`, `Authorization: DPoP ${token}`, ...lines, "Connection: close"];
    const { answers } = await talk(Number(port), `${head.join("\r\n")}\r\n\r\n`, { methods: ["GET"] });
    return answers[0].status;
  };
  const fresh = () => key.proof("GET", url, { token });
  for (const name of ["DPoP", "DPOP", "dpop", "dPoP"]) assert.equal(await byHand(`${name}: ${fresh()}`), 200, name);
  const same = fresh();
  for (const lines of [[`DPoP: ${fresh()}`, `DPoP: ${fresh()}`], [`DPoP: ${same}`, `dpop: ${same}`], [`DPoP: ${fresh()}`, "DPoP: x"], ["DPoP:"], [`D_PoP: ${fresh()}`]]) {
    assert.equal(await byHand(...lines), 401, lines.join().slice(0, 20));
  }
  // The same address in another spelling (RFC 9449 section 4.3).
  const { port, pathname } = new URL(url);
  for (const htu of [`HTTP://127.0.0.1:${port}${pathname}`, `http://127.0.0.1:0${port}${pathname}`, `http://127.0.0.1:${port}/echo/app/%78`, `http://127.0.0.1:${port}/echo/./app/x`]) {
    assert.equal((await show(key.proof("GET", url, { token, claims: { htu } }))).status, 200, htu);
  }
  for (const claims of [{ htm: "GET" }, { htu: "http://evil.example/" }, { iat: now - 3600 }, { jti: undefined }]) {
    assertError(await proved({ claims }), "invalid_dpop_proof");
  }
});

test("attack_51 neither kind of token passes for the other, also when it is known", async () => {
  const { client, token, key, url, show } = await bound(app);
  const { access_token: free } = await app.grant(client);
  for (let round = 0; round < 3; round += 1) {
    assert.equal((await show(key.proof("GET", url, { token }))).status, 200);
    assert.equal((await app.call(free)).status, 200);
    assert.equal((await app.call(token)).status, 401);
    assert.equal((await ask(url, { method: "GET", bearer: token, headers: { dpop: key.proof("GET", url, { token }) } })).status, 401);
    const other = await ask(url, { method: "GET", headers: { authorization: `DPoP ${free}`, dpop: key.proof("GET", url, { token: free }) } });
    assertRefused(other, "invalid_token", "not bound");
  }
  assertStatus(await app.revoke({ token, ...client.who }), 200);
  assertRefused(await show(key.proof("GET", url, { token })), "invalid_token", "revoked");
});

test("RFC 9449 section 8: a realm that wants a nonce supplies it, and scripts may read it", async () => {
  const client = await nonce.app();
  const [key, at] = [newKey(), `${nonce.issuer}/oauth/token`];
  const form = { grant_type: "refresh_token", refresh_token: "x", ...client.who };
  const origin = new URL(REDIRECT).origin;
  const first = await ask(at, { form, headers: { origin, dpop: key.proof("POST", at) } });
  assertError(first, "use_dpop_nonce");
  assert.equal(first.headers.get("access-control-allow-origin"), origin);
  assert.match(first.headers.get("access-control-expose-headers"), /\bDPoP-Nonce\b/);
  const given = first.headers.get("dpop-nonce");
  assert.match(given, /^[\w-]{22}$/);
  assertError(await ask(at, { form, headers: { dpop: key.proof("POST", at, { claims: { nonce: given } }) } }), "invalid_grant");
  assertError(await ask(at, { form, headers: { dpop: key.proof("POST", at, { claims: { nonce: `${given}x` } }) } }), "use_dpop_nonce");
  // And at the gate, where only the nonce that counts lets it pass.
  const machine = await nonce.client({ grant_types: ["client_credentials"] });
  const granted = await ask(at, { form: { grant_type: "client_credentials", ...machine.who }, headers: { dpop: key.proof("POST", at, { claims: { nonce: given } }) } });
  const { access_token: token } = assertStatus(granted, 200);
  const url = `${HERE}/echo/nonce/x`;
  for (const [nonce, status] of [[undefined, 401], ["", 401], [`${given}x`, 401], ["A".repeat(22), 401], [given, 200]]) {
    const dpop = key.proof("GET", url, { token, claims: { nonce } });
    const answer = await ask(url, { method: "GET", headers: { authorization: `DPoP ${token}`, dpop } });
    assert.equal(answer.status, status, String(nonce));
    if (status === 401) assertRefused(answer, "use_dpop_nonce", String(nonce));
    if (status === 401) assert.match(answer.headers.get("dpop-nonce"), /^[\w-]{22}$/);
  }
  const preflight = await fetch(at, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "dpop" } });
  assert.match(preflight.headers.get("access-control-allow-headers"), /\bDPoP\b/);
});

endsWithoutLeaks();
