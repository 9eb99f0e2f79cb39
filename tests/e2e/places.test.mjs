// Where a token may stand (RFC 6750 section 2), and how a resource says so (RFC 9728). Seen from both ends.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as oauth from "oauth4webapi";

import { accessToken, insecure, register } from "./support/client.mjs";
import { URL_HERE, endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { startUpstream } from "./support/upstream.mjs";

const upstream = await startUpstream();
const server = await startInstance("places");
const token = await accessToken(await register(server, "test"));
const other = await accessToken(await register(server, "test"));
const METADATA = `resource_metadata="${URL_HERE}/.well-known/oauth-protected-resource/places"`;
const form = (body) => ({ method: "POST", headers: { "content-type": "application/x-www-form-urlencoded" }, body });

/** Sends a request that must pass, and answers what arrived. */
async function arrives(path, init) {
  const response = await fetch(`${URL_HERE}/places/${path}`, init);
  assert.equal(response.status, 200, `${path} ${await response.text()}`);
  const arrived = upstream.requests.at(-1);
  assert.ok(!JSON.stringify(arrived).includes(token), "the token stays at the gate");
  assert.ok(arrived.headers["x-tollgate-subject"]);
  return arrived;
}

/** Sends a request that must not, and asserts that nothing arrives. */
async function refused(status, challenge, path, init) {
  const before = upstream.requests.length;
  const response = await fetch(`${URL_HERE}/places/${path}`, init);
  await response.arrayBuffer();
  assert.deepEqual([response.status, response.headers.get("www-authenticate")], [status, challenge], path);
  assert.equal(upstream.requests.length, before);
}

test("RFC 6750 section 2.3: a token in the query, where the route allows it, goes no further", async () => {
  assert.equal((await arrives(`query?a=%2F&access_token=${token}&b=1`)).url, "/base/places/query?a=%2F&b=1");
  assert.equal((await arrives(`query?access_token=${token}`)).url, "/base/places/query");
  assert.equal((await arrives("query?a=1", { headers: { authorization: `Bearer ${token}` } })).url, "/base/places/query?a=1");
});

test("RFC 6750 section 2.2: a token in a form, where the route allows it, goes no further, and the rest arrives", async () => {
  const arrived = await arrives("form", form(`a=%2F&access_token=${token}&b=1+2`));
  assert.deepEqual([arrived.method, arrived.body, arrived.headers["content-length"]], ["POST", "a=%2F&b=1+2", "11"]);
  assert.equal(arrived.headers["content-type"], "application/x-www-form-urlencoded");
  const header = { "content-type": "application/x-www-form-urlencoded", authorization: `Bearer ${token}` };
  assert.equal((await arrives("form", { method: "POST", headers: header, body: "a=1" })).body, "a=1");
  const json = { "content-type": "application/json", authorization: `Bearer ${token}` };
  assert.equal((await arrives("form", { method: "POST", headers: json, body: '{"a":1}' })).body, '{"a":1}');
  await refused(413, null, "form", form(`access_token=${token}&x=${"x".repeat(70_000)}`));
});

test("a token in a cookie, or in a header of its own, where the route allows it, goes no further", async () => {
  const cookies = await arrives("cookie", { headers: { cookie: `a=1; __Host-token=${token}; b=2` } });
  assert.equal(cookies.headers.cookie, "a=1; b=2");
  assert.equal((await arrives("cookie", { headers: { cookie: `__Host-token=${token}` } })).headers.cookie, undefined);
  const named = await arrives("named", { headers: { "x-assertion": token } });
  assert.equal(named.headers["x-assertion"], undefined);
});

test("attack_55 a token in two places, or where the route does not look, is refused", async () => {
  const twice = `Bearer error="invalid_request", ${METADATA}`;
  const missing = `Bearer realm="tollgate", scope="orders:read", ${METADATA}`;
  const bearer = { authorization: `Bearer ${token}` };
  for (const second of [token, other]) {
    await refused(400, twice, `query?access_token=${second}`, { headers: bearer });
    await refused(400, twice, `query?access_token=${second}&access_token=${token}`);
    await refused(400, twice, `header?access_token=${second}`, { headers: bearer });
    await refused(400, twice, "cookie", { headers: { ...bearer, cookie: `__Host-token=${second}` } });
    await refused(400, twice, "cookie", { headers: { cookie: `__Host-token=${second}; __Host-token=${token}` } });
    await refused(400, twice, "named", { headers: { ...bearer, "x-assertion": second } });
    const both = form(`access_token=${second}`);
    await refused(400, twice, "form", { ...both, headers: { ...both.headers, ...bearer } });
  }
  await refused(401, missing, `header?access_token=${token}`);
  await refused(401, missing, "header", { headers: { cookie: `__Host-token=${token}` } });
  await refused(401, missing, "named", { headers: bearer });
  await refused(401, missing, "cookie", { headers: bearer });
  await refused(401, missing, "form", { method: "POST", headers: { "content-type": "application/json" }, body: `{"access_token":"${token}"}` });
});

test("RFC 9728 section 3.3: a client library finds the resource's metadata and believes it", async () => {
  const resource = new URL(`${URL_HERE}/places`);
  const found = await oauth.processResourceDiscoveryResponse(resource, await oauth.resourceDiscoveryRequest(resource, insecure));
  assert.deepEqual(found, {
    resource: `${URL_HERE}/places`,
    authorization_servers: [server.realms.test],
    scopes_supported: ["orders:read"],
    bearer_methods_supported: ["body", "header", "query"],
    dpop_signing_alg_values_supported: ["EdDSA", "ES256", "ES384", "ES512", "PS256", "PS384", "PS512", "RS256", "RS384", "RS512"],
    resource_name: "Places",
    resource_documentation: "https://docs.example/places",
  });
  const as = await oauth.discoveryRequest(new URL(found.authorization_servers[0]), { ...insecure, algorithm: "oauth2" });
  assert.equal((await oauth.processDiscoveryResponse(new URL(server.realms.test), as)).issuer, server.realms.test);
  for (const path of ["", "/", "/other"]) {
    const none = await fetch(`${URL_HERE}/.well-known/oauth-protected-resource${path}`);
    assert.equal(none.status, 404, path);
  }
});

endsWithoutLeaks();
