// Upstreams that are slow, dead, cut off or come and go: the caller gets 502 or 504 as fits, and nobody else notices.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { startUpstream } from "./support/upstream.mjs";

// upstreams.json names it, and how long the upstream may take.
const HERE = "http://127.0.0.1:8825";
const TIMEOUT = 1000;

const upstream = await startUpstream();
await startInstance("upstreams", { port: 8825, config: "tests/e2e/upstreams.json", tokenLimit: 5 });

async function get(path, options) {
  const start = performance.now();
  const response = await fetch(`${HERE}${path}`, options);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, ms: performance.now() - start };
}
const asked = (path) => upstream.requests.filter(({ url }) => url === path).length;

test("an answer that does not begin in time is 504, asked for once, and others do not wait", async () => {
  upstream.serve("/soon/never", () => {});
  const waiting = get("/soon/never");
  for (let n = 0; n < 10; n += 1) {
    const other = await get("/soon/other");
    assert.ok(other.status === 200 && other.ms < TIMEOUT / 2, `${other.status} after ${other.ms} ms`);
  }
  const late = await waiting;
  assert.deepEqual([late.status, asked("/soon/never")], [504, 1]);
  assert.ok(late.ms > TIMEOUT * 0.9 && late.ms < TIMEOUT + 2000, String(late.ms));
  assert.equal(late.headers.get("content-type"), "application/problem+json");
  assert.ok(!late.text.includes("127.0.0.1"), late.text);
});

test("scripts of an origin that is named may read answers and refusals, and the upstream does not decide it", async () => {
  upstream.serve("/scripts/a", (response) => {
    response.writeHead(200, { "access-control-allow-origin": "*", "access-control-allow-credentials": "true", vary: "Accept", etag: '"1"' });
    response.end("a");
  });
  upstream.serve("/scripts/broken", (response) => response.destroy());
  const origin = "https://app.example";
  const preflight = { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type" } };
  const answered = await get("/scripts/a", preflight);
  assert.deepEqual([answered.status, asked("/scripts/a")], [204, 0]);
  assert.equal(answered.headers.get("access-control-allow-origin"), origin);
  assert.equal(answered.headers.get("access-control-allow-methods"), "GET, POST");
  const other = { ...preflight, headers: { ...preflight.headers, origin: "https://other.example" } };
  assert.equal((await get("/scripts/a", other)).status, 403);
  for (const [path, status] of [["/scripts/a", 200], ["/scripts/broken", 502]]) {
    const read = await get(path, { headers: { origin } });
    assert.deepEqual([read.status, read.headers.get("access-control-allow-origin")], [status, origin], path);
    assert.equal(read.headers.get("access-control-allow-credentials"), null);
    assert.match(read.headers.get("vary"), /Origin/);
  }
  const unread = await get("/scripts/a", { headers: { origin: "https://other.example" } });
  assert.deepEqual([unread.status, unread.text, unread.headers.get("access-control-allow-origin")], [200, "a", null]);
  assert.deepEqual([unread.headers.get("vary"), unread.headers.get("etag")], ["Accept, Origin", '"1"']);
});

test("whoever calls too often waits, and a limit that the deployment lacks lets nobody pass", async () => {
  upstream.serve("/often", (response) => response.end("here"));
  upstream.serve("/unlimited", (response) => response.end("here"));
  const statuses = [];
  let last;
  // The counter begins anew with each minute: twice as many as it admits, and a few.
  for (let n = 0; n < 25 && last?.status !== 429; n += 1) statuses.push((last = await get("/often")).status);
  assert.equal(statuses[0], 200);
  assert.equal(statuses.at(-1), 429, statuses.join(" "));
  assert.deepEqual([last.headers.get("retry-after"), asked("/often")], ["60", statuses.filter((status) => status === 200).length]);
  assert.deepEqual([(await get("/unlimited")).status, asked("/unlimited")], [503, 0]);
  // The health check tells of it.
  const health = await get("/healthz");
  assert.deepEqual([health.status, JSON.parse(health.text).status], [200, "degraded"]);
});

test("an answer whose head stops, or comes byte by byte, is 504 when its time is over, and others do not wait", async () => {
  upstream.serve("/soon/half-a-head", (response) => void response.socket.write("HTTP/1.1 200 OK\r\nContent-Le"));
  upstream.serve("/soon/drop-by-drop", async (response) => {
    for (const byte of "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Long: " + "x".repeat(1000)) {
      if (response.socket.destroyed) return;
      response.socket.write(byte);
      await sleep(100);
    }
  });
  const waiting = [get("/soon/half-a-head"), get("/soon/drop-by-drop")];
  for (let n = 0; n < 10; n += 1) {
    const other = await get("/soon/other");
    assert.ok(other.status === 200 && other.ms < TIMEOUT / 2, `${other.status} after ${other.ms} ms`);
  }
  for (const late of await Promise.all(waiting)) {
    assert.equal(late.status, 504);
    assert.ok(late.ms > TIMEOUT * 0.9 && late.ms < TIMEOUT + 2000, String(late.ms));
  }
  assert.deepEqual([asked("/soon/half-a-head"), asked("/soon/drop-by-drop")], [1, 1]);
});

test("an answer that has begun in time may take longer", async () => {
  upstream.serve("/soon/slow", async (response) => {
    response.writeHead(200, { "content-type": "text/plain" });
    for (let n = 0; n < 5; n += 1) {
      response.write("x");
      await sleep(TIMEOUT / 2);
    }
    response.end("!");
  });
  const slow = await get("/soon/slow");
  assert.deepEqual([slow.status, slow.text], [200, "xxxxx!"]);
});

test("what got no answer is asked again as often as the route says, where it may come twice", async () => {
  const failing = (path, times) => {
    let left = times;
    upstream.serve(path, (response) => (left-- > 0 ? response.destroy() : response.end("here")));
    return path;
  };
  assert.deepEqual([(await get(failing("/soon/twice", 2))).text, asked("/soon/twice")], ["here", 3]);
  assert.deepEqual([(await get(failing("/soon/thrice", 3))).status, asked("/soon/thrice")], [502, 3]);
  const post = await get(failing("/soon/posted", 1), { method: "POST", body: "x" });
  assert.deepEqual([post.status, asked("/soon/posted")], [502, 1], "a POST is sent once");
  upstream.serve("/soon/error", (response) => response.writeHead(503).end("no"));
  assert.deepEqual([(await get("/soon/error")).status, asked("/soon/error")], [503, 1], "an answer is one, whatever it says");
});

test("nobody there is 502, and an answer that stops in the middle is cut off", async () => {
  assert.equal((await get("/dead")).status, 502);
  upstream.serve("/soon/half", (response) => {
    response.writeHead(200, { "content-type": "text/plain", "content-length": "100" });
    response.write("half");
    setTimeout(() => response.destroy(), 100);
  });
  await assert.rejects(get("/soon/half"));
  assert.equal((await get("/soon/other")).status, 200);
});

test("what the path begins with stays here where the route says so", async () => {
  for (const [path, arrives] of [["/api/v1/orders/7%2b?a=b", "/base/orders/7%2B?a=b"], ["/api/v1/%6frders", "/base/orders"], ["/api", "/base/"]]) {
    assert.equal((await get(path)).status, 200, path);
    assert.equal(upstream.requests.at(-1).url, arrives);
  }
  assert.equal((await get("/api/v1/")).status, 404);
});

endsWithoutLeaks();
