// Other people's servers, all played by one: key sets, metadata and introspection, as good or as bad as a test wants.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { claims, forgeText, header } from "./forge.mjs";
import { startInstance } from "./instance.mjs";
import { rememberToken } from "./secrets.mjs";

// issuers.json names both.
const [GATE_PORT, PORT] = [8796, 8797];
export const GATE = `http://127.0.0.1:${GATE_PORT}`;
const ISSUERS = `http://127.0.0.1:${PORT}`;

/** An instance that trusts the issuers of issuers.json; `options` as of `startInstance`. */
export const startGate = (name, options) => startInstance(name, { port: GATE_PORT, config: "tests/e2e/issuers.json", ...options });

export const issuerOf = (name) => `${ISSUERS}/${name}`;

export function makeKey(kid) {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { kid, privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" } };
}

/** A JWT of issuer `name`, signed with `key`; `changes` are claims. */
export function tokenOf(name, key, changes = {}) {
  const text = forgeText(JSON.stringify(header({ kid: key.kid })), JSON.stringify(claims({ iss: issuerOf(name), ...changes })), { key: key.privateKey });
  return rememberToken(text);
}

// What a path answers: a function of the request's body and the response.

export const json = (value, { status = 200, headers = {}, ms = 0 } = {}) => async (body, response) => {
  if (ms > 0) await sleep(ms);
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof value === "string" ? value : JSON.stringify(value));
};

export const keySet = (keys, options) => json({ keys: keys.map(({ jwk }) => jwk) }, options);

/** Takes the question and says nothing. */
export const hang = () => {};

/** Begins to answer at once, and goes on byte by byte, one a second. */
export const slowly = (text) => (body, response) => {
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  let at = 0;
  const timer = setInterval(() => response.write(text[at++] ?? " "), 1000);
  response.write(text[at++]);
  response.once("close", () => clearInterval(timer));
};

export const redirect = (to, status = 302) => (body, response) => response.writeHead(status, { location: to }).end();

/** The server: serves until the file is through. */
export async function startIssuers() {
  const pages = new Map();
  const requests = [];
  const server = createServer((request, response) => {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.once("end", () => {
      const body = Buffer.concat(pieces).toString();
      const { method, url: path, headers } = request;
      const seen = { method, path, headers, body, cut: false };
      requests.push(seen);
      response.once("close", () => (seen.cut = !response.writableFinished));
      const page = pages.get(path) ?? json({}, { status: 404 });
      void page(body, response, seen);
    });
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(PORT, "127.0.0.1", resolve));
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    /** `path` begins with the issuer's name. */
    serve: (path, page) => pages.set(`/${path}`, page),
    asked: (path) => requests.filter((request) => request.path === `/${path}`),
  };
}

/** One request with a token: what came back, and after how many milliseconds. */
export async function get(token, path) {
  const start = performance.now();
  const response = await fetch(`${GATE}/echo/${path}`, { headers: { authorization: `Bearer ${token}` } });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, ms: performance.now() - start };
}

export const times = (count, make) => Promise.all(Array.from({ length: count }, (_, at) => make(at)));

export function assertPassed(answer, about) {
  assert.equal(answer.status, 200, `${about ?? ""} ${answer.text}`);
}

/** Not the caller's fault: 503, when to come again, and no challenge. */
export function assertTrouble(answer, about) {
  assert.equal(answer.status, 503, about);
  assert.equal(answer.headers.get("retry-after"), "5", about);
  assert.equal(answer.headers.get("www-authenticate"), null, about);
  assert.equal(answer.headers.get("cache-control"), "no-store", about);
  assert.equal(answer.headers.get("content-type"), "application/problem+json", about);
}

/** RFC 6750 section 3.1. */
export function assertRefused(answer, about) {
  assert.equal(answer.status, 401, about);
  assert.equal(answer.headers.get("www-authenticate"), 'Bearer error="invalid_token"', about);
}

export const slowest = (answers) => Math.max(...answers.map(({ ms }) => ms));
