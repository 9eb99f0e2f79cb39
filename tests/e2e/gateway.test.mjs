// The gate between a caller and an upstream: who passes, what of the request arrives, what never does.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { test } from "node:test";

import { decodeJwt } from "jose";

import { accessToken, assertInvalidToken, assertPassed, call, register } from "./support/client.mjs";
import { URL_HERE, endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { raw } from "./support/raw.mjs";
import { accepted, frame, unframe } from "./support/socket.mjs";
import { startUpstream } from "./support/upstream.mjs";

const upstream = await startUpstream();
const server = await startInstance("gateway");
const client = await register(server, "test", { scope: "orders:admin orders:read customers:read" });
const token = await accessToken(client, { scope: "orders:read" });
const bearer = `Authorization: Bearer ${token}`;

/** Asserts that nothing of what `action` does gets to the counting upstream. */
async function nothingArrives(action) {
  const before = upstream.requests.length;
  await action();
  assert.equal(upstream.requests.length, before, "a refused request reached the upstream");
}

test("RFC 6750 section 2.1: a token with the scope gets the upstream's own answer", async () => {
  const answer = await call(token, `${URL_HERE}/orders/o-1002`);
  assert.equal(assertPassed(answer).status, "open");
  assert.equal(answer.headers.get("content-type"), "application/json");
  assert.equal((await call(token, `${URL_HERE}/orders/o-9`)).status, 404, "the upstream's 404, not ours");
});

test("the health check finds the services that routes name", async () => {
  assert.equal((await (await fetch(`${URL_HERE}/healthz`)).json()).status, "ok");
});

test("RFC 6750 section 3.1: without the scope it is 403 insufficient_scope, naming the scope", async () => {
  const answer = await call(token, `${URL_HERE}/customers`);
  assert.equal(answer.status, 403);
  assert.deepEqual(answer.challenges, [{ scheme: "bearer", parameters: { error: "insufficient_scope", scope: "customers:read" } }]);
  assert.equal(answer.headers.get("cache-control"), "no-store");
});

test("a scope passes where a scope that it implies is needed, and not the other way round", async () => {
  const admin = await accessToken(client, { scope: "orders:admin" });
  assertPassed(await call(admin, `${URL_HERE}/orders`));
  const created = { method: "POST", headers: { "content-type": "application/json" }, body: '{"customer":"c-2"}' };
  assert.equal((await call(admin, `${URL_HERE}/orders`, created)).status, 201);
  assert.equal((await call(token, `${URL_HERE}/orders`, created)).status, 403);
});

test("RFC 6750 section 3: without a token it is 401, a challenge and no error code", async () => {
  await nothingArrives(async () => {
    for (const headers of [{}, { authorization: "Basic YTpi" }]) {
      const response = await fetch(`${URL_HERE}/counted/x`, { headers });
      assert.equal(response.status, 401);
      assert.equal(response.headers.get("www-authenticate"), 'Bearer realm="tollgate"');
    }
  });
});

test("RFC 9449 section 7.1: a token with the scheme DPoP and no proof is 401, and told so in that scheme", async () => {
  await nothingArrives(async () => {
    const response = await fetch(`${URL_HERE}/counted/x`, { headers: { authorization: "DPoP abc" } });
    assert.equal(response.status, 401);
    assert.match(response.headers.get("www-authenticate"), /^DPoP algs="[^"]*ES256[^"]*", error="invalid_dpop_proof"$/);
  });
});

test("RFC 6750 section 3.1: what is no token is 401 invalid_token", async () => {
  await nothingArrives(async () => {
    for (const garbage of ["garbage", "a.b.c", "...", "eyJhbGciOiJFUzI1NiJ9.e30.AA", "=", "tgs_AAAA"]) {
      assertInvalidToken(await call(garbage, `${URL_HERE}/counted/x`), garbage);
    }
  });
});

test("a route that nobody named is 404, with a token or without, and nothing is forwarded", async () => {
  await nothingArrives(async () => {
    for (const path of ["/nowhere", "/counted/x/y", "/counted/", "/Counted/x", "/", "/test", "/test/unknown", "/echo"]) {
      assert.equal((await call(token, `${URL_HERE}${path}`)).status, 404, path);
      assert.equal((await fetch(`${URL_HERE}${path}`)).status, 404, path);
    }
  });
});

test("an anonymous route lets everybody pass, and says nothing of who they are", async () => {
  assert.deepEqual(await (await fetch(`${URL_HERE}/health`)).json(), { status: "ok" });
  const { headers } = await (await fetch(`${URL_HERE}/echo/open/x`)).json();
  assert.deepEqual(Object.keys(headers).filter((name) => name.startsWith("x-tollgate-")), ["x-tollgate-request-id"]);
});

test("an upstream that is an address gets the path below its own, and the query", async () => {
  const answer = await call(token, `${URL_HERE}/counted/o%2D1?a=%20b&c`);
  assert.equal(answer.status, 200);
  const { method, url, headers } = upstream.requests.at(-1);
  assert.deepEqual([method, url], ["GET", "/base/counted/o-1?a=%20b&c"]);
  assert.equal(headers["x-tollgate-subject"], client.client_id);
  assert.equal(headers.authorization, undefined);
});

test("an upstream that does not answer is 502, and does not say where it is", async () => {
  const response = await fetch(`${URL_HERE}/dead`);
  assert.equal(response.status, 502);
  assert.ok(response.headers.get("x-request-id"));
  assert.doesNotMatch(await response.text(), /127\.0\.0\.1|8793/);
});

test("a redirect is the caller's to follow: it comes back as it is, and nobody asks its target", async () => {
  const path = "/base/counted/moved";
  for (const status of [301, 302, 303, 307, 308]) {
    for (const location of [`${upstream.url}/base/counted/target`, "/counted/target?a=%20b", "http://127.0.0.1:8793/elsewhere"]) {
      upstream.serve(path, (response) => response.writeHead(status, { location }).end());
      const before = upstream.requests.length;
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${URL_HERE}/counted/moved`, { headers, redirect: "manual" });
      assert.deepEqual([response.status, response.headers.get("location")], [status, location]);
      assert.deepEqual(upstream.requests.slice(before).map(({ url }) => url), [path]);
    }
  }
});

test("headers of any name and value go on, those of one name joined, with and without bytes that are no ASCII", async () => {
  const odd = ["1: one", "X-Tab: a\tb", "Accept: a", "Accept: b"];
  for (const [more, value] of [[[], undefined], [["X-Word: caf\u00e9"], "caf\u00c3\u00a9"]]) {
    assert.equal((await raw("/counted/x", { headers: [bearer, ...odd, ...more] })).status, 200);
    const { headers } = upstream.requests.at(-1);
    const seen = ["1", "x-tab", "accept", "x-word"].map((name) => headers[name]);
    // Node reads each byte as a character.
    assert.deepEqual(seen, ["one", "a\tb", "a, b", value]);
    assert.equal(headers.authorization, undefined);
    assert.equal(headers["x-tollgate-client"], decodeJwt(token).client_id);
  }
});

test("cookies of tollgate's own pages reach no upstream, and no upstream sets one; all others go both ways", async () => {
  const path = "/base/counted/cookies";
  const sets = ["__Host-tollgate-console.test=theirs; Secure; Path=/", "a=1; Path=/", "__Host-tollgate.test=theirs; Secure; Path=/", "b=2"];
  upstream.serve(path, (response) => response.setHeader("set-cookie", sets).end("{}"));
  const ours = ["__Host-tollgate.test=1", "__Host-tollgate-console.test=2", "__Host-tollgate.test.x.trip=3"];
  for (const [sent, arrives] of [
    [`a=1; ${ours.join("; ")}; b=2`, "a=1; b=2"],
    [`${ours[1]};a=1`, "a=1"],
    [`a=1, ${ours[1]}; b=2`, "a=1; b=2"],
    [ours.join("; "), undefined],
    ["a__Host-tollgate=1; b=__Host-tollgate", "a__Host-tollgate=1; b=__Host-tollgate"],
  ]) {
    for (const more of [[], ["X-Word: caf\u00e9"]]) {
      const answer = await raw("/counted/cookies", { headers: [bearer, `Cookie: ${sent}`, ...more] });
      assert.equal(answer.status, 200);
      assert.equal(upstream.requests.at(-1).headers.cookie, arrives, sent);
    }
  }
  const response = await call(token, `${URL_HERE}/counted/cookies`);
  assert.deepEqual(response.headers.getSetCookie(), ["a=1; Path=/", "b=2"]);
});

test("RFC 9111 section 3.5: where a token was needed, no cache may answer for the upstream; elsewhere one may", async () => {
  const cachingOf = ({ headers }) => [headers["cache-control"], headers.pragma];
  for (const headers of [{}, { "cache-control": "max-stale=60" }, { "cache-control": "public", pragma: "x" }]) {
    const { status } = await fetch(`${URL_HERE}/counted/x`, { headers: { authorization: `Bearer ${token}`, ...headers } });
    assert.equal(status, 200);
    assert.equal(cachingOf(upstream.requests.at(-1))[0], "no-store");
  }
  assert.equal((await raw("/counted")).status, 200);
  assert.deepEqual(cachingOf(upstream.requests.at(-1)), [undefined, undefined]);
});

test("attack_55 two Authorization headers, or two credentials in one, are 400 invalid_request", async () => {
  await nothingArrives(async () => {
    for (const headers of [
      [bearer, bearer],
      [bearer, "Authorization: Basic YTpi"],
      ["Authorization: Basic YTpi", bearer],
      [`${bearer}, Bearer ${token}`],
      [`${bearer} ${token}`],
      [`Authorization: Bearer\t${token}`],
      ["Authorization: Bearer"],
      [`Authorization: Bearer "${token}"`],
    ]) {
      const answer = await raw("/counted/x", { headers });
      assert.equal(answer.status, 400, headers.map((line) => line.slice(0, 24)).join(" "));
      assert.equal(answer.headers.get("www-authenticate"), 'Bearer error="invalid_request"');
    }
  });
});

test("RFC 9110 section 11.1: the scheme is matched whatever its case", async () => {
  for (const scheme of ["bearer", "BEARER", "bEaReR"]) {
    assert.equal((await raw("/orders", { headers: [`Authorization: ${scheme} ${token}`] })).status, 200, scheme);
  }
});

test("attack_55 a token in the query, a form or a cookie is ignored", async () => {
  const form = `access_token=${token}`;
  const ofForm = ["Content-Type: application/x-www-form-urlencoded", `Content-Length: ${form.length}`];
  await nothingArrives(async () => {
    for (const [target, options] of [
      [`/counted/x?access_token=${token}`, {}],
      ["/counted/x", { headers: [`Cookie: access_token=${token}; Authorization=Bearer ${token}`] }],
      ["/counted/x", { method: "POST", headers: ofForm, body: form }],
    ]) {
      const answer = await raw(target, options);
      assert.equal(answer.status, 401);
      assert.equal(answer.headers.get("www-authenticate"), 'Bearer realm="tollgate"');
    }
  });
});

test("attack_55 a token in the query beside one in the header is 400 invalid_request, the same one or another", async () => {
  await nothingArrives(async () => {
    for (const query of [`access_token=${token}`, "access_token=x", "access_token", "access_token=", "a=1&access_token=x", "access%5Ftoken=x"]) {
      const answer = await raw(`/counted/x?${query}`, { headers: [bearer] });
      assert.equal(answer.status, 400, query.slice(0, 24));
      assert.equal(answer.headers.get("www-authenticate"), 'Bearer error="invalid_request"');
    }
  });
  assert.equal((await raw("/counted/x?xaccess_token=1&Access_Token=1&q=access_token", { headers: [bearer] })).status, 200, "another parameter is the upstream's");
  assert.equal((await raw("/counted?access_token=x")).status, 200, "where no token is asked for, it is as well");
  assert.equal(upstream.requests.at(-1).url, "/base/counted?access_token=x");
});

test("RFC 9110 section 9.3.1: a GET or HEAD with a body is 400, with a token or without, and does not arrive", async () => {
  await nothingArrives(async () => {
    for (const headers of [[bearer], []]) {
      for (const [path, method] of [["/counted/x", "GET"], ["/counted", "GET"], ["/echo/open/x", "HEAD"], ["/echo/test/x", "GET"]]) {
        const sized = await raw(path, { method, headers: [...headers, "Content-Length: 1"], body: "x" });
        assert.equal(sized.status, 400, `${method} ${path}`);
        assert.equal(sized.headers.get("www-authenticate"), null);
      }
    }
    assert.equal((await raw("/nowhere", { headers: ["Content-Length: 1"], body: "x" })).status, 404);
  });
  assert.equal((await raw("/counted/x", { headers: [bearer, "Content-Length: 0"] })).status, 200, "no byte is no body");
  // wrangler's own proxy takes a body of unsaid length away from a GET: then what arrives has none.
  const chunked = await raw("/echo/test/x", { headers: [bearer, "Transfer-Encoding: chunked"], body: "1\r\nx\r\n0\r\n\r\n" });
  if (chunked.status !== 400) assert.deepEqual([chunked.status, JSON.parse(chunked.text).body_bytes], [200, 0]);
});

test("a route of one host is for that host only", async () => {
  assert.equal((await raw("/a/b?c", { method: "PATCH", host: "localhost:8791" })).status, 200);
  assert.equal(upstream.requests.at(-1).url, "/base/a/b?c");
  await nothingArrives(async () => {
    assert.equal((await raw("/a/b", { method: "PATCH" })).status, 404);
    assert.equal((await raw("/test/jwks", { method: "PATCH", host: "localhost:8791" })).status, 405, "a realm's paths are the realm's");
    assert.equal((await raw("/_tollgate/check", { method: "PATCH", host: "localhost:8791" })).status, 403);
  });
});

test("attack_56 no header that speaks of who is calling gets through, in any spelling; ours do", async () => {
  const spellings = [
    ...["X-Tollgate-Subject", "x_tollgate_subject", "X-TOLLGATE_SUBJECT", "X-Tollgate_Scope", "Tollgate-Subject"],
    ...["X-User", "X-User-Id", "X_User", "X-Auth-Request-User", "X-Authenticated-User", "Remote-User", "Remote_User"],
    ...["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-User", "X_Forwarded_User", "X-Forwarded-Proto", "Forwarded", "X-Real-IP"],
    ...["CF-Access-Authenticated-User-Email", "Cf_Access_Jwt_Assertion", "X-Original-URI", "X-Remote-Groups", "X-Userinfo"],
    ...["X-JWT-Assertion", "X-Amzn-Oidc-Identity", "X-Goog-Authenticated-User-Email", "X-MS-Client-Principal", "X-Webauth-User"],
    ...["X.Tollgate.Subject", "X~Tollgate!Scope", "x'tollgate|client", "Remote-Groups", "X-Consumer-Custom-ID", "X-authentik-username"],
    ...["OIDC_CLAIM_sub", "X-Hasura-Role", "X-SSL-Client-DN", "SSL_CLIENT_S_DN", "Tailscale-User-Login", "X-Vouch-User", "X-Pomerium-Claim-Email"],
  ];
  for (const path of ["/echo/test/x", "/echo/open/x", "/counted/x", "/counted"]) {
    const { status, text } = await raw(path, { headers: [bearer, ...spellings.map((name) => `${name}: evil`), "X-Kept: good", "Cookie: a=b"] });
    assert.equal(status, 200, text);
    const { headers } = path.startsWith("/counted") ? upstream.requests.at(-1) : JSON.parse(text);
    for (const [name, value] of Object.entries(headers)) assert.doesNotMatch(value, /evil/, name);
    assert.deepEqual([headers["x-kept"], headers.cookie], ["good", "a=b"], "what is nobody's identity passes");
    if (path === "/echo/open/x" || path === "/counted") continue;
    assert.equal(headers["x-tollgate-subject"], client.client_id);
    assert.equal(headers["x-tollgate-client"], client.client_id);
    assert.equal(headers["x-tollgate-issuer"], server.realms.test);
    assert.equal(headers["x-tollgate-scope"], "orders:read");
    assert.match(headers["x-tollgate-request-id"], /^[\w-]{16}$/);
    assert.equal(headers.authorization, undefined, "the token is used up at the gate");
  }
});

test("attack_57 no header asks an upstream for another method or path than the one that was allowed", async () => {
  const spellings = [
    ...["X-HTTP-Method-Override", "X_HTTP_Method_Override", "x-http-method-override", "X-HTTP-Method", "X-Method-Override"],
    ...["X.Method.Override", "X-Rewrite-URL", "X_Rewrite_Url", "X-Original-URL", "X-Original-Method", "X-Forwarded-Method", "X-Forwarded-Uri"],
    ...["X-Forwarded-Prefix", "X-Forwarded-Path"],
  ];
  for (const path of ["/echo/test/x", "/echo/open/x", "/counted/x", "/counted"]) {
    for (const value of ["DELETE", "/customers"]) {
      const { status, text } = await raw(path, { headers: [bearer, ...spellings.map((name) => `${name}: ${value}`)] });
      assert.equal(status, 200, text);
      const { method, headers } = path.startsWith("/counted") ? upstream.requests.at(-1) : JSON.parse(text);
      assert.equal(method, "GET");
      for (const [name, arrived] of Object.entries(headers)) assert.notEqual(arrived, value, name);
    }
  }
});

test("attack_56 Connection cannot take our headers away, nor does anything hop-by-hop get through", async () => {
  const names = "x-tollgate-subject, x-tollgate-scope, x-tollgate-issuer, x-tollgate-client";
  const hops = ["Keep-Alive: 5", "TE: trailers", "Proxy-Authorization: Basic YTpi", "Proxy-Connection: close"];
  const headers = [bearer, `Connection: close, ${names}`, ...hops];
  const seen = JSON.parse((await raw("/echo/test/x", { headers })).text).headers;
  assert.equal(seen["x-tollgate-subject"], client.client_id);
  assert.equal(seen["x-tollgate-scope"], "orders:read");
  for (const name of ["connection", "keep-alive", "te", "proxy-authorization", "proxy-connection"]) assert.equal(seen[name], undefined, name);
});

test("attack_57 the path that was matched is the path that arrives, however it was spelt", async () => {
  const tails = [
    ...["x", "%78", "a/b", "a;b=1", "a%3Bb", "%C3%A4", "%2B+", "a%2fb", "a%2Fb", "a%5cb", "a\\b", "a%00", "a%0d%0ab", "%zz", "%", "x#y"],
    ...["../open/x", "%2e%2e/open/x", ".%2E/open/x", "..%2fopen/x", "..\\open\\x", "..%5copen/x", "..;/open/x", "..%3b/open/x"],
    ...["./x", "%2e/x", "/x", "//x", "x/", "x//", "x/../../open/x", "x/%2e%2e/%2e%2e/open/x", "../../orders", "../../../../health"],
  ];
  let arrived = 0;
  for (const realm of ["test", "open"]) {
    for (const tail of tails.map((tail) => (realm === "test" ? tail : tail.replaceAll("open", "test")))) {
      for (const headers of [[bearer], []]) {
        const target = `/echo/${realm}/${tail}`;
        const answer = await raw(target, { headers });
        assert.ok([200, 400, 401, 404].includes(answer.status), `${target}: ${answer.status}`);
        const seen = answer.status === 200 ? JSON.parse(answer.text) : {};
        if (!seen.path) continue;
        arrived += 1;
        // The echo says which path arrived; the identity headers say which route was matched.
        const matched = seen.headers["x-tollgate-subject"] === undefined ? "/echo/open/" : "/echo/test/";
        assert.ok(seen.path.startsWith(matched), `${target} was matched below ${matched} and arrived as ${seen.path}`);
        assert.ok(headers.length > 0 || matched === "/echo/open/", `${target} needed no token`);
      }
    }
  }
  assert.ok(arrived > 20, "enough of them arrive for this to mean something");
});

test("attack_57 no spelling of a path leads around its policy", async () => {
  const targets = [
    ...["/locations", "//locations", "/./locations", "/orders/../locations", "/orders/%2e%2e/locations", "/orders/%2E./locations"],
    ...["/orders/..%2flocations", "/orders\\..\\locations", "\\locations", "/%5clocations"],
    ...["/orders/..;/locations", "/;/locations", "/locations;x=1", "/%6cocations", "/locations%00"],
    ...["/locations/", "/locations%20", "/locations?", "/locations#", "/Locations", "/health/../locations"],
    ...["/_tollgate/../locations", "/healthz/../locations", "/test/../locations", "/test/jwks/..%2f..%2flocations"],
    ...["http://127.0.0.1:8791/locations", "http://other.example/locations"],
    ...["http://other.example//locations", "http://user@other.example/locations"],
  ];
  for (const target of targets) {
    for (const headers of [[bearer], []]) {
      const answer = await raw(target, { headers });
      assert.ok([400, 401, 403, 404].includes(answer.status), `${target}: ${answer.status}`);
      assert.doesNotMatch(answer.text, /warehouse/, target);
    }
  }
  assert.equal((await raw("/%6frders", { headers: [bearer] })).status, 200, "an escaped letter is the letter");
});

test("attack_57 another method, an upgrade or a range asks for the same permission", async () => {
  await nothingArrives(async () => {
    for (const method of ["HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "PURGE"]) {
      assert.equal((await raw("/counted/x", { method })).status, 404, method);
      assert.equal((await raw("/counted/x", { method, headers: [bearer] })).status, 404, method);
    }
    for (const method of ["get", "Get", "CONNECT"]) {
      assert.ok((await raw("/counted/x", { method, headers: [bearer] })).status >= 400, method);
    }
    const socket = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
    const overrides = ["X-HTTP-Method-Override: GET", "X-Original-URL: /health", "X-Rewrite-URL: /health"];
    for (const headers of [socket, ["Range: bytes=0-1"], ...overrides.map((line) => [line])]) {
      assert.equal((await raw("/counted/x", { headers })).status, 401, headers[0]);
    }
  });
});

/** Opens a web socket: the bytes that the answer began with, and the socket. */
function openSocket(path, headers) {
  const key = randomBytes(16).toString("base64");
  const asking = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": key };
  const request = httpRequest(`${URL_HERE}${path}`, { headers: { ...asking, ...headers } });
  return new Promise((resolve, reject) => {
    request.once("error", reject).setTimeout(10_000, () => request.destroy(new Error("no answer")));
    request.once("response", (response) => reject(new Error(`${response.statusCode} instead of a socket`)));
    request.once("upgrade", (response, socket) => resolve({ key, response, socket }));
    request.end();
  });
}

test("a web socket opens where its request may pass, and both sides hear each other", async () => {
  const { key, response, socket } = await openSocket("/counted/socket", { authorization: `Bearer ${token}` });
  assert.equal(response.statusCode, 101);
  assert.ok(accepted(key).includes(response.headers["sec-websocket-accept"]));
  const { url, headers } = upstream.requests.at(-1);
  assert.deepEqual([url, headers.upgrade, headers.authorization], ["/base/counted/socket", "websocket", undefined]);
  assert.equal(headers["x-tollgate-subject"], client.client_id);
  for (const said of ["one", "two"]) {
    const heard = new Promise((resolve, reject) => {
      socket.once("data", resolve).once("error", reject);
      socket.setTimeout(10_000, () => socket.destroy(new Error("nothing was said")));
    });
    socket.write(frame(said, { isClient: true }));
    assert.equal(unframe(await heard), `again: ${said}`);
  }
  socket.destroy();
});

test("a body of 20 MB arrives and comes back unchanged", async () => {
  const body = randomBytes(20 * 1024 * 1024);
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" };
  const response = await fetch(`${URL_HERE}/echo-body`, { method: "POST", headers, body });
  assert.equal(response.status, 200);
  const hash = (data) => createHash("sha256").update(data).digest("hex");
  assert.equal(hash(Buffer.from(await response.arrayBuffer())), hash(body));
});

test("bodies stream both ways: the first bytes come back before the last are sent", async () => {
  const [first, last] = [randomBytes(64 * 1024), randomBytes(1024 * 1024)];
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/octet-stream" };
  const request = httpRequest(`${URL_HERE}/echo-body`, { method: "POST", headers });
  const response = await new Promise((resolve, reject) => {
    request.once("response", resolve).once("error", reject);
    request.setTimeout(10_000, () => request.destroy(new Error("nothing came back while the body was open")));
    request.write(first);
  });
  assert.equal(response.statusCode, 200);
  const pieces = [];
  for await (const piece of response) {
    // Only what has come back lets the last part go.
    if (pieces.push(piece) === 1) request.end(last);
  }
  assert.ok(Buffer.concat(pieces).equals(Buffer.concat([first, last])));
});

endsWithoutLeaks();
