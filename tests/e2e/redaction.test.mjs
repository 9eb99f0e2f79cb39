// What comes back of an answer, by the roles of whoever asks: on workerd, with answers as upstreams give them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";

import { endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { ask, assertStatus } from "./support/issuer.mjs";
import { startUpstream } from "./support/upstream.mjs";

// redaction.json names it.
const HERE = "http://127.0.0.1:8823";
const MIB = 1024 * 1024;

const upstream = await startUpstream();
const server = await startInstance("redaction", { port: 8823, config: "tests/e2e/redaction.json" });

/** A token of a client with these roles. */
async function tokenOf(...roles) {
  const json = { client_name: "Job", scope: "customers:read", grant_types: ["client_credentials"], roles };
  const made = assertStatus(await ask(`${HERE}/test/api/v1/clients`, { bearer: await server.operators.token("test"), json }), 201);
  const form = { grant_type: "client_credentials", client_id: made.client_id, client_secret: made.client_secret };
  return assertStatus(await ask(`${HERE}/test/oauth/token`, { form }), 200).access_token;
}

const [owner, reporting, guest] = [await tokenOf("owner"), await tokenOf("reporting"), await tokenOf("guest")];
const get = (path, bearer = reporting, options = {}) => ask(`${HERE}${path}`, { method: "GET", bearer, ...options });

let pages = 0;
/** The path at which the upstream answers so. */
function serve(page) {
  const path = `/elsewhere/${(pages += 1)}`;
  upstream.serve(path, page);
  upstream.serve(path.replace("elsewhere", "whole"), page);
  return path;
}
const answering = (body, { status = 200, ...headers } = {}) =>
  serve((response) => response.writeHead(status, { "content-type": "application/json", ...headers }).end(body));

test("the worked example: an owner gets a customer with everything, reporting id and name, a guest nothing", async () => {
  const whole = assertStatus(await get("/customers/c-1", owner), 200);
  assert.deepEqual(Object.keys(whole), ["id", "name", "email", "addresses"]);
  const part = assertStatus(await get("/customers/c-1", reporting), 200);
  assert.deepEqual(part, { id: whole.id, name: whole.name });
  const none = await get("/customers/c-1", guest);
  assert.equal(none.status, 403);
  assert.equal(none.headers.get("www-authenticate"), 'Bearer error="insufficient_scope"');
  const list = assertStatus(await get("/customers", owner), 200);
  assert.ok(list.length > 1 && list.every(({ addresses }) => addresses.every((address) => Object.keys(address).join() === "city")), JSON.stringify(list));
  const empty = assertStatus(await get("/customers", guest), 200);
  assert.deepEqual(empty, list.map(() => ({})), "as the route says");
});

test("what is kept is kept byte for byte", async () => {
  const kept = '{"id":{"n": 12345678901234567890.1e+5, "n" : [ null,"\\u00e9" ]},"id":-0}';
  const answer = await get(answering(`{"secret":1, ${kept.slice(1, -1)} ,"items":[{"id":9007199254740993,"price":1},7,null]}`));
  assert.equal(answer.text, `${kept.slice(0, -1)},"items":[{"id":9007199254740993},null]}`);
});

test("errors of the upstream are redacted as well, whatever their status", async () => {
  for (const status of [201, 404, 422, 500]) {
    const answer = await get(answering('{"id":1,"sql":"SELECT"}', { status, "content-type": 'application/problem+json; charset="UTF-8"; x=y' }));
    assert.deepEqual([answer.status, answer.text], [status, '{"id":1}']);
  }
});

test("length, tag, ranges and caching are those of what is given", async () => {
  const path = answering('{"id":1,"secret":2}', {
    "content-length": "19", etag: '"e1"', "last-modified": "Thu, 26 Nov 2026 22:00:00 GMT", "accept-ranges": "bytes", "content-digest": "sha-256=:AAAA:",
    "cache-control": "public, max-age=60, s-maxage=600", vary: "Accept", "cdn-cache-control": "max-age=9", "cloudflare-cdn-cache-control": "max-age=9", "surrogate-control": "max-age=9",
    expires: "Thu, 26 Nov 2026 22:00:00 GMT", "x-other": "stays", "set-cookie": "a=b",
  });
  const { headers, text } = await get(path, reporting, { headers: { range: "bytes=0-3", "if-none-match": '"e1"' } });
  assert.equal(text, '{"id":1}');
  for (const name of ["etag", "last-modified", "accept-ranges", "content-digest"]) assert.equal(headers.get(name), null, name);
  assert.ok([null, "8"].includes(headers.get("content-length")));
  assert.equal(headers.get("cache-control"), "private, no-store");
  for (const name of ["cdn-cache-control", "cloudflare-cdn-cache-control", "surrogate-control", "expires"]) assert.equal(headers.get(name), null, name);
  assert.equal(headers.get("vary"), "Accept, Authorization");
  assert.deepEqual([headers.get("x-other"), headers.get("set-cookie")], ["stays", "a=b"]);
  const arrived = upstream.requests.at(-1).headers;
  assert.deepEqual([arrived.range, arrived["if-none-match"]], [undefined, undefined]);
});

test("compressed answers are read, and broken ones are 502", async () => {
  const body = Buffer.from(`{"id":1,"secret":"${"x".repeat(10_000)}"}`);
  for (const [coding, bytes] of [["gzip", gzipSync(body)], ["br", brotliCompressSync(body)]]) {
    // What the local server compresses on its own is none of this.
    const answer = await get(answering(bytes, { "content-encoding": coding }), reporting, { headers: { "accept-encoding": "identity" } });
    assert.deepEqual([answer.status, answer.text, answer.headers.get("content-encoding")], [200, '{"id":1}', null], coding);
  }
  const broken = gzipSync(body);
  broken.fill(0x55, 12, 30);
  for (const [coding, bytes] of [["gzip", broken], ["gzip", gzipSync(body).subarray(0, 40)], ["gzip", body], ["deflate", deflateSync(body)], ["zstd", body], ["gzip, br", body]]) {
    const answer = await get(answering(bytes, { "content-encoding": coding }));
    assert.equal(answer.status, 502, coding);
    assert.ok(!answer.text.includes("xxx"));
  }
});

test("what is no JSON is 502, and nothing of it is given", async () => {
  const secret = '{"id":1,"secret":2}';
  for (const [body, headers] of [
    [secret, { "content-type": "text/html" }],
    [secret, { "content-type": "application/jsonp" }],
    [secret, { "content-type": "application/json; charset=utf-16" }],
    [secret, { "content-type": "" }],
    [secret, { status: 206, "content-range": "bytes 0-18/100" }],
    [`${secret}${secret}`, {}],
    ["\ufeff{}", {}],
    ["{id:1}", {}],
    ['{"id":1,"secret":', {}],
    [`${"[".repeat(300)}${"]".repeat(300)}`, {}],
  ]) {
    const answer = await get(answering(body, headers));
    assert.equal(answer.status, 502, `${body.slice(0, 40)} ${JSON.stringify(headers)}`);
    assert.ok(!answer.text.includes("secret"), answer.text);
  }
  const headers = { authorization: `Bearer ${reporting}` };
  assert.equal((await fetch(`${HERE}${answering(null, { status: 204 })}`, { headers })).status, 204, "no body shows nothing");
  const empty = await fetch(`${HERE}${answering("", { status: 201 })}`, { headers });
  assert.deepEqual([empty.status, await empty.text()], [201, ""]);
  const head = await fetch(`${HERE}${answering(secret, { "content-length": "19" })}`, { method: "HEAD", headers });
  assert.deepEqual([head.status, head.headers.get("content-length") === "19"], [200, false]);
  assert.equal((await get(answering("<b>", { "content-type": "text/html" }).replace("elsewhere", "whole"))).text, "<b>", "where nothing is redacted it is as ever");
});

/** Reads an answer, and how far: until it ends or is cut off. */
async function readAll(path) {
  const response = await fetch(`${HERE}${path}`, { headers: { authorization: `Bearer ${reporting}` } });
  let [bytes, isWhole] = [0, true];
  try {
    for await (const piece of response.body) bytes += piece.length;
  } catch {
    isWhole = false;
  }
  return { status: response.status, bytes, isWhole };
}

test("an answer that stops being JSON, or stops, after it has begun is cut off", async () => {
  const item = '{"id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","secret":1},';
  const many = `{"items":[${item.repeat(20_000)}`;
  for (const [what, end] of [["no JSON", "}"], ["not all of it", ""]]) {
    const { status, isWhole } = await readAll(answering(`${many}${end}`));
    assert.deepEqual([status, isWhole], [200, false], what);
  }
  const path = serve((response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.write(many);
    setTimeout(() => response.destroy(), 200);
  });
  assert.deepEqual((await readAll(path)).isWhole, false, "the upstream is gone");
  assert.equal((await get("/customers/c-1")).status, 200, "and others are answered");
});

/** Writes pieces for as long as somebody reads them. */
async function flood(response, pieces, total) {
  response.writeHead(200, { "content-type": "application/json" });
  response.write('{"items":[');
  for (let sent = 0; sent < total && !response.destroyed; sent += pieces.length) {
    if (!response.write(pieces)) await Promise.race([once(response, "drain"), once(response, "close")]);
  }
  response.end('{"id":0}]}');
}

test("10 MiB and 300 MiB pass in pieces, quickly enough, and others are not slowed", async (context) => {
  const item = `{"id":123456,"name":"somebody","email":"somebody@example.com","addresses":[{"city":"Graz","zip":"8010"}],"notes":"${"n".repeat(60)}"},`;
  const pieces = item.repeat(400);
  const path = serve((response) => void flood(response, pieces, 10 * MIB));
  const whole = path.replace("elsewhere", "whole");
  const speed = async (from) => {
    const start = performance.now();
    const { isWhole, bytes } = await readAll(from);
    assert.ok(isWhole);
    return { bytes, rate: (10 * MIB) / 1e6 / ((performance.now() - start) / 1000) };
  };
  await speed(path);
  const [redacted, plain] = [await speed(path), await speed(whole)];
  context.diagnostic(`10 MiB: ${redacted.rate.toFixed(0)} MB/s redacted, ${plain.rate.toFixed(0)} MB/s as it comes, through one fetch in Node`);
  assert.ok(redacted.bytes < plain.bytes / 5);
  assert.ok(redacted.rate >= 30, `${redacted.rate} MB/s`);
  const large = readAll(serve((response) => void flood(response, pieces, 300 * MIB)));
  const times = [];
  for (let n = 0; n < 20; n += 1) {
    const start = performance.now();
    assert.equal((await get("/customers/c-1")).status, 200);
    times.push(performance.now() - start);
    await sleep(20);
  }
  assert.ok((await large).isWhole);
  context.diagnostic(`beside 300 MiB others took ${Math.max(...times).toFixed(0)} ms at most`);
  assert.ok(Math.max(...times) < 2000);
});

test("an answer that begins and then says nothing is 504 where the route says how long", async () => {
  upstream.serve("/soon/1", (response) => void response.writeHead(200, { "content-type": "application/json" }).write('{"id":1,'));
  const start = performance.now();
  assert.equal((await get("/soon/1")).status, 504);
  assert.ok(performance.now() - start < 3000);
});

test("whoever stops reading stops the upstream as well", async () => {
  let closed;
  const gone = new Promise((resolve) => (closed = resolve));
  const path = serve((response) => {
    response.once("close", closed);
    void flood(response, '{"id":1},'.repeat(4000), 1e12);
  });
  const controller = new AbortController();
  const response = await fetch(`${HERE}${path}`, { signal: controller.signal, headers: { authorization: `Bearer ${reporting}` } });
  await response.body.getReader().read();
  controller.abort();
  await Promise.race([gone, sleep(10_000).then(() => assert.fail("it goes on"))]);
});

endsWithoutLeaks();
