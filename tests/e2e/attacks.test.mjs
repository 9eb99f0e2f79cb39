// The attacks of docs/attacks.md in workerd: the very tokens of the native tests (tests/attacks), JSONTestSuite, published vectors.
import assert from "node:assert/strict";
import { createPrivateKey, sign } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { startServer } from "../../tools/server.mjs";
import { inBatches } from "./support/client.mjs";
import { startUpstream } from "./support/upstream.mjs";

const PORT = 8795;
/** What the tokens' headers point at: tests/attacks/header.rs names it. Nobody may come. */
const BAIT_PORT = 8798;
/** Longer header lines than the server in front takes: it answers them itself, or hangs up. */
const LONGEST = 100_000;

const at = (path) => new URL(path, import.meta.url);
const readJson = (path) => JSON.parse(readFileSync(at(path), "utf8"));
const { parts, cases } = readJson("../attacks/corpus.json");

const b64 = (bytes) => Buffer.from(bytes).toString("base64url");
const whole = (token) =>
  typeof token === "string"
    ? token.split(".").map((part) => (part.startsWith("@") ? parts[part.slice(1)] : part)).join(".")
    : token.map((piece) => (typeof piece === "string" ? piece : piece.repeat.repeat(piece.times))).join("");

/** Each token that one changed bit makes of it, a bit in every byte: as the native tests do. */
function changed(token) {
  const bytes = token.split(".").map((part) => Buffer.from(part, "base64url"));
  return bytes.flatMap((part, which) =>
    [...part].map((_, at) => {
      const other = Buffer.from(part);
      other[at] ^= 1 << at % 8;
      return bytes.map((same, n) => b64(n === which ? other : same)).join(".");
    }),
  );
}

const tokens = (entry) => (entry.each_byte ? changed(whole(entry.token)) : [whole(entry.token)]);

const upstream = await startUpstream();
let server;
let fetched = 0;
const bait = createServer((_request, response) => response.end(String((fetched += 1))));
before(async () => {
  await new Promise((resolve, reject) => bait.once("error", reject).listen(BAIT_PORT, "127.0.0.1", resolve));
  server = await startServer({ port: PORT, config: "tests/attacks/tollgate.json", devDir: ".dev-e2e-attacks", seedDemo: false });
});
after(() => bait.close());
after(() => server?.stop());

const SCOPE = ', scope="attacks:read"';
const challenge = ({ status, error }) => `Bearer error="${error}"${status === 403 ? SCOPE : ""}`;
const INVALID = { path: "/attacks", status: 401, error: "invalid_token" };

/** Sends a token. Answers the request's name in the log where it was refused, and undefined where it passed as it should. */
async function send({ name, token, expected }) {
  const isLong = token.length > LONGEST;
  let response;
  try {
    response = await fetch(server.url + expected.path, { headers: { authorization: `Bearer ${token}` } });
  } catch (error) {
    assert.ok(isLong, `${name}: ${error.cause ?? error}`);
    return undefined;
  }
  const body = await response.text();
  const id = response.headers.get("x-request-id");
  if (isLong && id === null) {
    assert.ok(response.status >= 400, name);
    return undefined;
  }
  assert.equal(response.status, expected.status, name);
  if (expected.status === 200) return undefined;
  assert.equal(response.headers.get("www-authenticate"), challenge(expected), name);
  assert.equal(response.headers.get("content-type"), "application/problem+json", name);
  if (expected.status === 401) assert.equal(JSON.parse(body).detail, "The token is not valid here, or not any more.", name);
  assert.ok(id, name);
  return id;
}

/** The log's lines by the name of the request. */
const logged = () => new Map([...server.output().matchAll(/\{"request_id":"([\w-]+)".*\}/g)].map(([line, id]) => [id, JSON.parse(line)]));

/** Sends all, and checks each answer, what the log says of it, and that nothing but what passed went on. */
async function assertAll(requests, size = 8) {
  assert.ok(requests.length > 0);
  const from = upstream.requests.length;
  const problems = [];
  const refused = new Map();
  await inBatches(
    requests,
    async (request) => {
      try {
        const id = await send(request);
        if (id) refused.set(id, request);
      } catch (error) {
        problems.push(error.message.replaceAll("\n", " "));
      }
    },
    size,
  );
  let log = logged();
  for (let tries = 0; tries < 100 && ![...refused.keys()].every((id) => log.has(id)); tries += 1) {
    await sleep(100);
    log = logged();
  }
  for (const [id, { name, expected }] of refused) {
    const { decision, reason, claim } = log.get(id) ?? {};
    const said = [reason, claim].filter(Boolean).join(" ");
    if (decision !== "deny" || said !== (expected.reason ?? said)) problems.push(`${name}: the log says ${decision} ${said}`);
  }
  const passed = requests.filter(({ expected }) => expected.status === 200).length;
  if (upstream.requests.length - from !== passed) problems.push(`${upstream.requests.length - from} of ${passed} went on`);
  assert.deepEqual(problems, []);
  assert.ok(bait.listening);
  assert.equal(fetched, 0, "somebody believed a header");
}

/** The requests that a case stands for. */
const requests = (entry) => tokens(entry).map((token) => ({ name: entry.name, token, expected: entry }));

const genuine = cases.filter((entry) => entry.status === 200 && entry.http !== false);

test("what is genuine passes: every algorithm, every issuer", async () => {
  assert.ok(genuine.length > 100);
  await assertAll(genuine.flatMap(requests));
});

for (const number of new Set(cases.map((entry) => entry.attack).filter(Boolean))) {
  const ours = cases.filter((entry) => entry.attack === number && entry.http !== false);
  const inOrder = ours.some((entry) => entry.in_order);
  test(`attack_${String(number).padStart(2, "0")}: ${ours.length} cases`, () => assertAll(ours.flatMap(requests), inOrder ? 1 : 8));
}

describe("JSONTestSuite", () => {
  const rfc7515 = readJson("../vectors/rfc/rfc7515_appendix_a.json").vectors.find((vector) => vector.alg === "ES256");
  const key = createPrivateKey({ key: rfc7515.key, format: "jwk" });
  const [head, payload] = whole(cases.find((entry) => entry.name === "attack_00_ES256").token)
    .split(".")
    .map((part) => Buffer.from(part, "base64url"));
  const signed = (header, claims) => {
    const input = `${b64(header)}.${b64(claims)}`;
    return `${input}.${b64(sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }))}`;
  };
  /** The claims with the file as one more. */
  const asClaim = (bytes) => Buffer.concat([Buffer.from('{"x":'), bytes, Buffer.from(","), payload.subarray(1)]);
  const folder = at("../vectors/jsontestsuite/");
  const files = (kind) => {
    const names = readdirSync(folder).filter((name) => name.startsWith(kind));
    assert.ok(names.length > 30, kind);
    return names.map((name) => [name, readFileSync(new URL(encodeURIComponent(name), folder))]);
  };

  const bothWays = (kind, reason) =>
    files(kind).flatMap(([name, bytes]) =>
      [
        { name: `${name} as header`, token: signed(bytes, payload) },
        { name: `${name} as claims`, token: signed(head, bytes) },
      ].map(({ name, token }) => ({ name, token, expected: { ...INVALID, reason: reason(token) } })),
    );

  test("attack_33 and 42: what is not JSON is refused as header and as claims", () =>
    assertAll(bothWays("n_", (token) => (token.length > 16_384 ? "reject_size" : "malform_token"))));

  test("attack_42: what is left open ends in a refusal as header and as claims", () => assertAll(bothWays("i_", () => undefined)));

  test("what is JSON passes as a claim of a genuine token", () =>
    assertAll(
      files("y_").map(([name, bytes]) => ({
        name,
        token: signed(head, asClaim(bytes)),
        // RFC 8259 leaves repeated members open; RFC 7519 section 4 does not.
        expected: name.includes("duplicated_key") ? { ...INVALID, reason: "malform_token" } : { path: "/attacks", status: 200 },
      })),
    ));
});

test("the published tokens of RFC 7515, RFC 7520, RFC 8037 and RFC 9449 are nobody's whom we trust", async () => {
  const rfc = readJson("../vectors/rfc/rfc7515_appendix_a.json").vectors.map((vector) => vector.compact);
  const others = readJson("../vectors/rfc/rfc7636_7638_8037_9449.json").flatMap((vector) => [vector.proof, vector.compact]);
  const folder = at("../vectors/jose-cookbook/");
  const cookbook = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => JSON.parse(readFileSync(new URL(name, folder), "utf8")).output.compact);
  // One has a payload that is not encoded: no credential at all, and a case of the corpus.
  const made = [...rfc, ...others, ...cookbook].filter((token) => token && /^[\w.-]+$/.test(token));
  assert.equal(made.length, 12);
  await assertAll(made.map((token) => ({ name: token.slice(0, 40), token, expected: INVALID })));
});

test("attack_28 and 29: the other forms of RFC 7520, as they are and encoded, are refused", async () => {
  const folder = at("../vectors/jose-cookbook/refused/");
  const made = readdirSync(folder).flatMap((name) => {
    const { output, sign, encrypt } = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
    const forms = [output, sign?.output, encrypt?.output].flatMap((form) => Object.entries(form ?? {}));
    return forms.flatMap(([form, value]) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      const isCredential = typeof value === "string";
      const expected = isCredential ? INVALID : { path: "/attacks", status: 400, error: "invalid_request", reason: "malform_credentials" };
      return [
        { name: `${name} ${form}`, token: text, expected },
        { name: `${name} ${form}, encoded`, token: b64(text), expected: { ...INVALID, reason: "malform_token" } },
      ];
    });
  });
  assert.equal(made.length, 102);
  await assertAll(made);
});

test("attack_42: after all of this, what is genuine passes as before, and the log holds no token", async () => {
  await assertAll(genuine.flatMap(requests));
  assert.doesNotMatch(server.output(), /eyJ[\w-]{10,}\.eyJ/);
  assert.doesNotMatch(server.output(), /panicked|unreachable|RuntimeError/);
});
