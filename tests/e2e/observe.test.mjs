// What an operator sees: HTTPS only, the health check, the log, how long a request waits, a data set.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { remember } from "./support/secrets.mjs";
import { startUpstream } from "./support/upstream.mjs";

// observe.json names it.
const PORT = 8829;
const HERE = `http://127.0.0.1:${PORT}`;
const TIMING = randomBytes(24).toString("base64url");

const upstream = await startUpstream();
const server = await startInstance("observe", {
  port: PORT,
  config: "tests/e2e/observe.json",
  seedDemo: true,
  secrets: { TOLLGATE_TIMING_TOKEN: TIMING },
  bindings: '[[analytics_engine_datasets]]\nbinding = "TOLLGATE_ANALYTICS"\ndataset = "tollgate"\n',
});

/** A request whose `Host` is another. */
const asHost = (host, path, method = "GET") =>
  new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port: PORT, path, method, headers: { host } }, (response) => {
      response.resume().once("end", () => resolve(response));
    });
    request.once("error", reject).end();
  });

async function token() {
  const { TOLLGATE_CLIENT_ID: id, TOLLGATE_CLIENT_SECRET: secret } = server.env;
  const body = new URLSearchParams({ grant_type: "client_credentials", client_id: id, client_secret: secret });
  const { access_token: token } = await (await fetch(`${HERE}/test/oauth/token`, { method: "POST", body })).json();
  remember("an access token", token);
  return token;
}

/** The lines of the log from here on that fit, once there is one. */
async function lines(from, fits) {
  for (let n = 0; n < 50; n += 1) {
    const found = [...server.output().slice(from).matchAll(/\{"request_id":[^\n]*\}/g)].map(([line]) => JSON.parse(line)).filter(fits);
    if (found.length > 0) return found;
    await sleep(100);
  }
  throw new Error("no such line");
}

test("RFC 6797: who types an address goes on to HTTPS, everything else is refused, and nothing is said of this machine", async () => {
  const sent = await asHost("gate.example.com", "/far/account?a=b");
  // `wrangler dev` gives addresses of the host that was asked the scheme that was asked with; tests/flows/https.rs sees the one that was answered.
  assert.deepEqual([sent.statusCode, sent.headers.location.replace(/^https?:/, "")], [308, "//gate.example.com/far/account?a=b"]);
  assert.equal(sent.headers["strict-transport-security"], undefined);
  for (const [host, path, method] of [
    ["gate.example.com", "/far/account", "POST"],
    ["gate.example.com", "/far/oauth/token", "POST"],
    ["gate.example.com", "/far/oauth/authorize?client_id=a"],
    ["gate.example.com", "/things"],
    ["evil.example", "/far/account"],
    ["gate.example.com", "/test/account"],
  ]) {
    const refused = await asHost(host, path, method);
    assert.deepEqual([refused.statusCode, refused.headers.location], [403, undefined], `${host}${path}`);
  }
  const here = await fetch(`${HERE}/test/jwks`);
  assert.deepEqual([here.status, here.headers.get("strict-transport-security")], [200, null]);
});

test("the health check says which configuration counts, and how old the keys are that the key set has", async () => {
  const response = await fetch(`${HERE}/healthz`);
  const health = await response.json();
  assert.deepEqual([response.status, health.status, health.configuration.version], [200, "ok", 0]);
  const { configuration } = await import(join(server.folder, "build", "configuration.js"));
  assert.equal(health.configuration.digest, createHash("sha256").update(configuration).digest("base64url"));
  assert.deepEqual(Object.keys(health.realms).sort(), ["far", "test"]);
  const { keys } = await (await fetch(`${HERE}/test/jwks`)).json();
  const [key] = health.realms.test.keys;
  assert.deepEqual([key.kid, key.state, key.alg], [keys[0].kid, "active", "ES256"]);
  assert.ok(key.age_seconds >= 0 && key.age_seconds < 600, String(key.age_seconds));
});

test("a request that passes is one line with issuer, client and principal, also where there is a data set", async () => {
  const [bearer, from] = [await token(), server.output().length];
  const response = await fetch(`${HERE}/things`, { headers: { authorization: `Bearer ${bearer}` } });
  assert.equal(response.status, 200);
  const [line, ...others] = await lines(from, ({ target, decision }) => target === "things" && decision === "allow");
  assert.deepEqual([others.length, line.issuer, line.client], [0, "test", server.env.TOLLGATE_CLIENT_ID]);
  assert.match(line.principal, /^[\w-]{43}$/);
  assert.doesNotMatch(server.output().slice(from), /analytics/);
});

test("Server-Timing is for whoever has the secret, and the upstream never sees that", async () => {
  const bearer = await token();
  const ask = async (path, timing) => {
    const headers = { authorization: `Bearer ${bearer}`, ...(timing === undefined ? {} : { "Tollgate-Timing": timing }) };
    const response = await fetch(`${HERE}${path}`, { headers });
    await response.text();
    return Object.fromEntries([...(response.headers.get("server-timing") ?? "").matchAll(/(\w+);dur=(\d+)/g)].map(([, name, ms]) => [name, Number(ms)]));
  };
  for (const wrong of [undefined, "", "x", TIMING.slice(1), `${TIMING}x`, TIMING.toUpperCase()]) assert.deepEqual(await ask("/things", wrong), {});
  upstream.serve("/open/slow", async (response) => {
    await sleep(300);
    response.setHeader("server-timing", "theirs;dur=5");
    response.end("slow");
  });
  const slow = await ask("/open/slow", TIMING);
  assert.deepEqual(Object.keys(slow).sort(), ["decide", "theirs", "upstream"]);
  assert.ok(slow.upstream >= 290 && slow.upstream < 3000 && slow.theirs === 5, JSON.stringify(slow));
  // A key set is asked for keys, which may be at hand.
  const own = await ask("/test/jwks", TIMING);
  assert.deepEqual(Object.keys(own).sort(), ["decide", "keys"]);
  assert.ok(own.keys <= own.decide);
  assert.deepEqual(Object.keys(await ask("/nowhere", TIMING)), ["decide"]);
  assert.ok(upstream.requests.length > 0);
  for (const { headers } of upstream.requests) assert.equal(headers["tollgate-timing"], undefined);
  assert.ok(!readFileSync(join(server.folder, "wrangler.toml"), "utf8").includes(TIMING));
});

endsWithoutLeaks();
