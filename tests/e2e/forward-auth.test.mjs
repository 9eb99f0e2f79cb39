// Forward-auth: a proxy asks, and gets the decision that the gateway itself would make.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as oauth from "oauth4webapi";

import { accessToken, assertInvalidToken, call, insecure, register } from "./support/client.mjs";
import { URL_HERE, endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { raw } from "./support/raw.mjs";
import { startUpstream } from "./support/upstream.mjs";

const CHECK = `${URL_HERE}/_tollgate/check`;
const upstream = await startUpstream();
const server = await startInstance("forward-auth");
const client = await register(server, "test", { scope: "orders:read" });
const token = await accessToken(client);

const nginx = (uri, method = "GET") => ({ "x-original-method": method, "x-original-uri": uri });
const traefik = (uri, method = "GET") => ({
  "x-forwarded-method": method,
  "x-forwarded-uri": uri,
  "x-forwarded-host": "api.example.com",
  // Not x-forwarded-proto: wrangler's own proxy believes it, and rewrites addresses in answers.
  "x-forwarded-for": "192.0.2.7",
});
const SPELLINGS = { nginx, traefik };

const ask = (headers, options) => call(token, CHECK, { headers, ...options });
const identity = (headers) => Object.fromEntries([...headers].filter(([name]) => name.startsWith("x-tollgate-")));

for (const [proxy, spelt] of Object.entries(SPELLINGS)) {
  test(`${proxy}: a request that may pass is 200, with who it speaks for`, async () => {
    const answer = await ask(spelt("/orders?page=2"));
    assert.equal(answer.status, 200);
    assert.equal(answer.text, "");
    assert.equal(answer.headers.get("cache-control"), "no-store");
    assert.deepEqual(identity(answer.headers), {
      "x-tollgate-client": client.client_id,
      "x-tollgate-issuer": server.realms.test,
      "x-tollgate-scope": "orders:read",
      "x-tollgate-subject": client.client_id,
    });
  });

  test(`${proxy}: without the scope it is 403, with the challenge`, async () => {
    const answer = await ask(spelt("/customers"));
    assert.equal(answer.status, 403);
    assert.deepEqual(answer.challenges, [{ scheme: "bearer", parameters: { error: "insufficient_scope", scope: "customers:read" } }]);
    assert.deepEqual(identity(answer.headers), {});
  });

  test(`${proxy}: the method counts`, async () => {
    assert.equal((await ask(spelt("/orders", "POST"))).status, 403);
    assert.equal((await ask(spelt("/orders", "DELETE"))).status, 403);
    assert.equal((await ask(spelt("/orders", "get"))).status, 403);
  });

  test(`${proxy}: no token is 401 with a challenge, a bad one 401 invalid_token`, async () => {
    const response = await fetch(CHECK, { headers: spelt("/orders") });
    assert.deepEqual([response.status, response.headers.get("www-authenticate")], [401, 'Bearer realm="tollgate"']);
    assertInvalidToken(await call("garbage", CHECK, { headers: spelt("/orders") }));
    const query = await fetch(CHECK, { headers: spelt(`/orders?access_token=${token}`) });
    assert.equal(query.status, 401, "a token in the query is none");
  });

  test(`${proxy}: an anonymous route is 200 without a token, and names nobody`, async () => {
    const response = await fetch(CHECK, { headers: spelt("/health") });
    assert.equal(response.status, 200);
    assert.deepEqual(identity(response.headers), {});
  });

  test(`${proxy}: no such route is 403, which is what a proxy understands`, async () => {
    for (const path of ["/nowhere", "/orders/", "/test/oauth/token", "/healthz", "/_tollgate/check"]) {
      assert.equal((await ask(spelt(path))).status, 403, path);
    }
  });

  test(`attack_57 ${proxy}: a path without one normal form is 403`, async () => {
    const hidden = ["/health/../orders", "//orders", "/orders%2f..", "/orders\\..\\health", "/health/..;/orders", "/health%00"];
    for (const path of [...hidden, "http://x/health", "health", ""]) {
      for (const header of [token, undefined]) {
        const headers = Object.entries(spelt(path)).map(([name, value]) => `${name}: ${value}`);
        const answer = await raw("/_tollgate/check", { headers: header ? [...headers, `Authorization: Bearer ${header}`] : headers });
        assert.equal(answer.status, 403, path);
      }
    }
  });
}

test("attack_56 two spellings that differ are refused: nobody knows which one the proxy wrote", async () => {
  for (const headers of [
    { ...nginx("/customers"), "x-forwarded-uri": "/orders" },
    { ...nginx("/orders"), "x-forwarded-method": "POST" },
    { ...traefik("/orders"), "x-original-uri": "/health" },
    { ...traefik("/orders"), "x-original-host": "other.example" },
  ]) {
    assert.equal((await ask(headers)).status, 403);
    assert.equal((await fetch(CHECK, { headers })).status, 403);
  }
  assert.equal((await ask({ ...nginx("/orders"), ...traefik("/orders") })).status, 200, "two that agree are one");
});

test("attack_56 a header twice is refused", async () => {
  const twice = ["X-Original-Method: GET", "X-Original-URI: /health", "X-Original-URI: /orders"];
  assert.equal((await raw("/_tollgate/check", { headers: twice })).status, 403);
});

test("a request that is not named, or half, is refused", async () => {
  for (const headers of [
    {},
    { "x-original-uri": "/health" },
    { "x-original-method": "GET" },
    { "x-forwarded-uri": "/health" },
    { "x-original-method": "GET", "x-forwarded-uri": "/health" },
    { "x-original-method": "GET", "x-forwarded-host": "x" },
  ]) {
    assert.equal((await ask(headers)).status, 403);
    assert.equal((await fetch(CHECK, { headers })).status, 403);
  }
});

test("attack_55 two credentials are refused", async () => {
  const named = Object.entries(nginx("/orders")).map(([name, value]) => `${name}: ${value}`);
  const bearer = `Authorization: Bearer ${token}`;
  assert.equal((await raw("/_tollgate/check", { headers: [...named, bearer, bearer] })).status, 403);
});

test("the question's own method does not count, and asking forwards nothing", async () => {
  for (const method of ["GET", "HEAD", "POST"]) {
    const body = method === "POST" ? "x" : undefined;
    const response = await oauth.protectedResourceRequest(token, method, new URL(CHECK), new Headers(nginx("/counted/x")), body, insecure);
    assert.equal(response.status, 200, method);
  }
  assert.equal(upstream.requests.length, 0);
});

endsWithoutLeaks();
