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

// A route of tollgate.json names its host, so every question has to.
const nginx = (uri, method = "GET", host = "api.example.com") => ({
  "x-original-method": method,
  "x-original-uri": uri,
  "x-original-host": host,
});
const traefik = (uri, method = "GET", host = "api.example.com") => ({
  "x-forwarded-method": method,
  "x-forwarded-uri": uri,
  "x-forwarded-host": host,
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
    const both = await ask(spelt(`/orders?access_token=${token}`));
    assert.deepEqual([both.status, both.challenges], [403, [{ scheme: "bearer", parameters: { error: "invalid_request" } }]]);
  });

  test(`${proxy}: an anonymous route is 200 without a token, and names nobody`, async () => {
    const response = await fetch(CHECK, { headers: spelt("/health") });
    assert.equal(response.status, 200);
    assert.deepEqual(identity(response.headers), {});
  });

  test(`${proxy}: no such route is 403, which is what a proxy understands`, async () => {
    for (const path of ["/nowhere", "/orders/"]) {
      assert.equal((await ask(spelt(path))).status, 403, path);
    }
  });

  test(`attack_57 ${proxy}: tollgate's own paths are nobody's to allow, whatever a pattern says`, async () => {
    const own = ["/test/oauth/token", "/test/jwks", "/test/x", "/healthz", "/_tollgate/check", "/%5Ftollgate/check", "/%74est/jwks"];
    const metadata = ["/test/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/test"];
    for (const path of [...own, ...metadata]) {
      // PATCH and this host: of the route `pairs`, which has a pattern that any two segments fit.
      for (const headers of [spelt(path), spelt(path, "POST"), spelt(path, "PATCH", "localhost")]) {
        assert.equal((await ask(headers)).status, 403, path);
        assert.equal((await fetch(CHECK, { headers })).status, 403, path);
      }
    }
    for (const path of ["/a/jwks", "/nobody/jwks", "/a/check"]) {
      assert.equal((await ask(spelt(path, "PATCH", "localhost"))).status, 200, path);
    }
  });

  test(`attack_57 ${proxy}: a route of one host is that host's, and where there is one every question names its host`, async () => {
    for (const host of ["localhost", "LOCALHOST", "localhost:8443"]) {
      assert.equal((await fetch(CHECK, { headers: spelt("/a/b", "PATCH", host) })).status, 200, host);
    }
    for (const host of ["api.example.com", "localhost.example.com", "127.0.0.1", "localhost."]) {
      assert.equal((await fetch(CHECK, { headers: spelt("/a/b", "PATCH", host) })).status, 403, host);
    }
    const unnamed = (headers) => Object.fromEntries(Object.entries(headers).filter(([name]) => !name.endsWith("-host")));
    for (const headers of [spelt("/a/b", "PATCH"), spelt("/health"), spelt("/orders")].map(unnamed)) {
      // The other proxy's spelling is the caller's.
      for (const others of [{}, { [proxy === "nginx" ? "x-forwarded-host" : "x-original-host"]: "localhost" }]) {
        assert.equal((await ask({ ...headers, ...others })).status, 403);
      }
    }
    for (const host of ["", "a b", "a/b", "api..example.com", "localhost, api.example.com"]) {
      assert.equal((await ask(spelt("/health", "GET", host))).status, 403, host);
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
    { ...nginx("/orders"), "x-forwarded-host": "other.example" },
  ]) {
    assert.equal((await ask(headers)).status, 403);
    assert.equal((await fetch(CHECK, { headers })).status, 403);
  }
  assert.equal((await ask({ ...nginx("/orders"), ...traefik("/orders") })).status, 200, "two that agree are one");
});

test("attack_56 a header twice is refused", async () => {
  const once = Object.entries(nginx("/health")).map(([name, value]) => `${name}: ${value}`);
  assert.equal((await raw("/_tollgate/check", { headers: once })).status, 200);
  for (const again of ["X-Original-URI: /orders", "X-Original-Method: GET", "X-Original-Host: api.example.com"]) {
    assert.equal((await raw("/_tollgate/check", { headers: [...once, again] })).status, 403, again);
  }
});

test("a request that is not named, or half, is refused", async () => {
  const [own, other] = [{ "x-original-host": "api.example.com" }, { "x-forwarded-host": "api.example.com" }];
  for (const headers of [
    {},
    { ...own, "x-original-uri": "/health" },
    { ...own, "x-original-method": "GET" },
    { ...other, "x-forwarded-uri": "/health" },
    { ...own, ...other, "x-original-method": "GET", "x-forwarded-uri": "/health" },
    { ...own, ...other, "x-original-method": "GET" },
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
