// Upstreams whose answers are not what their headers say, that stop in the middle, or that nobody reads to the end: the caller gets what came, an
// error, or a cut, and the upstream waits or is told. On plain workerd: `wrangler dev` unpacks and packs on its own.
import assert from "node:assert/strict";
import { createServer, request as httpRequest } from "node:http";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { brotliCompressSync, deflateSync, gunzipSync, gzipSync } from "node:zlib";

import { flood } from "./support/document.mjs";
import { realmOf } from "./support/issuer.mjs";
import { listening, startPlain } from "./support/plain.mjs";

const MIB = 1024 * 1024;

const pages = new Map();
const upstream = createServer((request, response) => pages.get(request.url)(response, request));
const fetches = await listening(upstream);
const server = await startPlain("answers", { config: "tests/e2e/redaction.json", fetches });
const realm = realmOf(server, "test");
const client = await realm.client({ grant_types: ["client_credentials"], scope: "customers:read", roles: ["reporting"] });
const { access_token: token } = await realm.grant(client);

let count = 0;
/** The two paths of a page: one whose answers are redacted, and one where they are not. */
function serve(page) {
  const name = `p${(count += 1)}`;
  pages.set(`/elsewhere/${name}`, page).set(`/whole/${name}`, page);
  return { redacted: `/elsewhere/${name}`, whole: `/whole/${name}` };
}

/** Asks and reads: the status, the headers, what came, and whether that was all. `onPiece` is asked about each piece that comes. */
function get(path, { headers = {}, onPiece } = {}) {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ port: server.port, host: "127.0.0.1", path, headers: { authorization: `Bearer ${token}`, ...headers } });
    request.once("error", reject);
    request.once("response", (response) => {
      const pieces = [];
      const settle = (isWhole) => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(pieces), isWhole });
      response.on("data", (piece) => {
        pieces.push(piece);
        onPiece?.(piece, response, request);
      });
      response.once("error", () => settle(false)).once("end", () => settle(response.complete));
    });
    request.end();
  });
}

const begun = (response) => response.writeHead(200, { "content-type": "application/json" });
const mib = (bytes) => `${(bytes / MIB).toFixed(0)} MiB`;

test("where nobody reads the upstream waits, redacted and not", async (context) => {
  for (const kind of ["whole", "redacted"]) {
    let left = 0;
    const path = serve((response) => void flood(begun(response), Infinity, (sent) => (left = sent)))[kind];
    let asked;
    const reading = get(path, {
      onPiece: (_piece, response, request) => {
        asked = request;
        response.pause();
      },
    }).catch(() => undefined);
    // What lies in buffers of this machine's connections is some megabytes, and of what is redacted many times that.
    let before;
    for (let tries = 0; tries < 50 && (left === 0 || left !== before); tries += 1) {
      before = left;
      await sleep(300);
    }
    assert.equal(left, before, `it goes on, ${mib(left)} have left`);
    context.diagnostic(`${kind}: it waits after ${mib(left)}`);
    assert.equal((await get("/customers/c-1")).status, 200);
    asked.destroy();
    await reading;
  }
});

test("whoever goes away stops the upstream, redacted and not", async () => {
  for (const kind of ["whole", "redacted"]) {
    let isClosed;
    const closed = new Promise((resolve) => (isClosed = resolve));
    const path = serve((response) => {
      response.once("close", isClosed);
      void flood(begun(response), Infinity);
    })[kind];
    await get(path, { onPiece: (_piece, _response, request) => request.destroy() }).catch(() => undefined);
    await Promise.race([closed, sleep(10_000).then(() => assert.fail(`${kind}: it goes on`))]);
  }
});

// --- What is not what it is called ----------------------------------------------------------------

const TEXT = Buffer.from(`{"id":1,"secret":"${"x".repeat(10_000)}"}`);
const RANDOM = Buffer.from(Array.from({ length: 300_000 }, (_, n) => 32 + ((n * 2654435761) >>> 13) % 90)).toString().replace(/["\\]/g, "x");
const LARGE = Buffer.from(`{"items":[${'{"id":1,"secret":2},'.repeat(20_000)}{"id":2,"secret":"${RANDOM}"}]}`);
const spoilt = (bytes, from, to) => {
  const out = Buffer.from(bytes);
  out.fill(0x55, from, to);
  return out;
};
const packed = gzipSync(TEXT);
const BROKEN = {
  "gzip that is damaged": ["gzip", spoilt(packed, 12, 30)],
  "gzip that is cut off": ["gzip", packed.subarray(0, 40)],
  "gzip without its end": ["gzip", packed.subarray(0, -8)],
  "gzip with a wrong sum": ["gzip", spoilt(packed, packed.length - 8, packed.length - 4)],
  "a head of gzip and nothing more": ["gzip", packed.subarray(0, 10)],
  "text that is called gzip": ["gzip", TEXT],
  "deflate that is called gzip": ["gzip", deflateSync(TEXT)],
  "brotli that is damaged": ["br", spoilt(brotliCompressSync(TEXT), 4, 12)],
  "a coding that nobody knows": ["x-made-up", TEXT],
};

test("where nothing is redacted, what is packed passes byte for byte, broken or not: reading it is the caller's", async () => {
  const good = { "gzip": ["gzip", packed], "brotli": ["br", brotliCompressSync(TEXT)], "two codings": ["gzip, br", TEXT] };
  for (const [what, [coding, bytes]] of Object.entries({ ...good, ...BROKEN })) {
    // With a cookie of ours among the others the answer is another one, with the same body.
    for (const more of [{}, { "set-cookie": ["__Host-tollgate.test=theirs; Secure; Path=/", "a=b"] }]) {
      const path = serve((response) => response.writeHead(200, { "content-type": "application/json", "content-encoding": coding, "content-length": bytes.length, ...more }).end(bytes)).whole;
      for (const accept of [{}, { "accept-encoding": "identity" }, { "accept-encoding": "gzip, br" }]) {
        const answer = await get(path, { headers: accept });
        const about = `${what}, ${JSON.stringify([accept, more])}`;
        assert.deepEqual([answer.status, answer.isWhole, answer.headers["content-encoding"]], [200, true, coding], about);
        assert.ok(answer.body.equals(bytes), `${about}: ${answer.body.length} bytes instead of ${bytes.length}`);
        assert.deepEqual(answer.headers["set-cookie"], more["set-cookie"] && ["a=b"], about);
      }
    }
  }
});

test("where something is redacted, what cannot be unpacked is 502 or cut off, and nothing of it is shown", async () => {
  const answering = (coding, bytes) => serve((response) => response.writeHead(200, { "content-type": "application/json", "content-encoding": coding }).end(bytes)).redacted;
  for (const [what, [coding, bytes]] of Object.entries(BROKEN)) {
    const answer = await get(answering(coding, bytes));
    assert.equal(answer.status, 502, `${what}: ${answer.body.subarray(0, 100)}`);
    assert.ok(!answer.body.includes("xxx"), what);
  }
  // Behind what is good there may be nothing that was not looked at.
  const trailing = await get(answering("gzip", Buffer.concat([packed, TEXT])));
  assert.ok(trailing.status === 502 || (trailing.status === 200 && trailing.body.toString() === '{"id":1}'), `${trailing.status} ${trailing.body.subarray(0, 100)}`);
  // Damage that is seen when the answer has begun.
  const large = gzipSync(LARGE);
  for (const [what, bytes] of [["damaged", spoilt(large, large.length - 2000, large.length - 1900)], ["cut off", large.subarray(0, -3000)], ["without its end", large.subarray(0, -8)]]) {
    const answer = await get(answering("gzip", bytes));
    assert.deepEqual([answer.status, answer.isWhole], [200, false], what);
    assert.ok(!answer.body.includes("secret"), what);
  }
  const whole = await get(answering("gzip", large));
  assert.deepEqual([whole.status, whole.isWhole], [200, true]);
  assert.equal(JSON.parse(whole.body).items.length, 20_001);
  assert.ok(gunzipSync(large).equals(LARGE));
});

test("an answer that stops in the middle has no end, redacted and not, whatever said its length", async () => {
  for (const kind of ["whole", "redacted"]) {
    for (const length of [undefined, LARGE.length]) {
      for (const sent of [LARGE.length - 1, 200_000]) {
        const path = serve((response) => {
          response.writeHead(200, { "content-type": "application/json", ...(length && { "content-length": length }) });
          response.write(LARGE.subarray(0, sent));
          setTimeout(() => response.destroy(), 150);
        })[kind];
        const { status, isWhole } = await get(path);
        assert.deepEqual([status, isWhole], [200, false], `${kind}, ${length}, ${sent}`);
        assert.equal((await get("/customers/c-1")).status, 200);
      }
    }
  }
});

server.endsWithoutLeaks();
