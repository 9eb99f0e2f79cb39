// Path and header confusion, by chance: thousands of requests that two servers might read differently, on kept connections, many at
// once behind each other, against plain workerd. Whatever arrives has to be allowed, in every reading of it.
// `SEED=` begins with another one, `COUNT=` sends more.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { decodeJwt } from "jose";

import { maker, randomness } from "./support/crooked.mjs";
import { realmOf } from "./support/issuer.mjs";
import { startPlain } from "./support/plain.mjs";
import { permits, wrongs } from "./support/reference.mjs";
import { startWireUpstream, talk } from "./support/wire.mjs";

const CONFIG = "tests/e2e/tollgate.json";
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 32);
const COUNT = Number(process.env.COUNT ?? 3000);
const SIDE_BY_SIDE = 8;

const policy = JSON.parse(readFileSync(new URL("./tollgate.json", import.meta.url), "utf8"));
const upstream = await startWireUpstream();
const noted = [];
const server = await startPlain("confusion", { config: CONFIG, fetches: upstream.port, seen: (note) => noted.push(note) });

async function tokenOf(name, realm, scope) {
  const { access_token: text } = await realmOf(server, realm).grant(await realmOf(server, realm).client({ grant_types: ["client_credentials"], scope }));
  const claims = decodeJwt(text);
  const identity = {
    "x-tollgate-issuer": server.issuers[realm],
    "x-tollgate-subject": claims.sub,
    "x-tollgate-client": claims.client_id,
    "x-tollgate-scope": claims.scope,
  };
  return { name, text, realm, scopes: scope.split(" "), identity };
}
const tokens = [
  await tokenOf("orders", "test", "orders:read"),
  await tokenOf("customers", "test", "customers:read"),
  await tokenOf("admin", "test", "orders:admin"),
  await tokenOf("sandbox", "sandbox", "orders:read"),
];
const withoutTokens = (text) => tokens.reduce((text, token) => text.replaceAll(token.text, `<${token.name}>`), text);
const shown = (text) => withoutTokens(JSON.stringify(text)).slice(0, 3000);
const authority = `127.0.0.1:${server.port}`;

/** What arrived, from both upstreams, since the last time. */
function arrived() {
  const from = (target) => [target.replace(/\?.*/s, ""), /\?(.*)/s.exec(target)?.[1]];
  const services = noted.splice(0).map(({ method, url, headers }) => {
    const [, host, target] = /^https?:\/\/([^/?#]*)(.*)$/s.exec(url);
    const [path, query] = from(target);
    return { to: "service", method, host, target, path, query, fields: headers };
  });
  const fetches = upstream.requests.splice(0).map(({ method, target, version, fields, body, text }) => {
    const [path, query] = from(target);
    return { to: "url", method, target, version, path: path.replace(/^\/base(?=\/)/, ""), isBelow: path.startsWith("/base/"), query, fields, body, text };
  });
  return [...services, ...fetches];
}

const markOf = ({ fields }) => fields.filter(([name]) => name.toLowerCase() === "x-mark").map(([, value]) => value).join();

/** What is wrong with what arrived, beyond what the policy says. */
function oddities(was, arrival) {
  const found = [];
  const { to, target, query, fields, text } = arrival;
  if (!/^[\x21-\x7e]+$/.test(target)) found.push("its target has other bytes");
  const from = was.target.replace(/#.*/s, "");
  const asked = from.includes("?") ? from.slice(from.indexOf("?") + 1) : undefined;
  const decoded = (text) => Buffer.from((text ?? "").replace(/%([0-9a-f]{2})/gi, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16))), "latin1").toString("latin1");
  // A target with an authority may end that with a question mark, or a host bring one.
  if (was.target.startsWith("/") && was.hosts.every((host) => !/[?#/]/.test(host)) && decoded(query) !== decoded(asked)) found.push(`the query ${asked} arrived as ${query}`);
  if (to === "service") {
    const { host } = arrival;
    const said = fields.filter(([name]) => name === "host").map(([, value]) => value);
    const read = (authority) => new URL(`http://${authority}`).host;
    if (said.length !== 1 || read(said[0]) !== read(host)) found.push(`it is for ${host}, and says ${said}`);
    return found;
  }
  if (!arrival.isBelow) found.push("it arrived outside of the upstream's own path");
  if (arrival.version !== "HTTP/1.1") found.push(`it arrived as ${arrival.version}`);
  if (fields.find(([name]) => name.toLowerCase() === "host")?.[1] !== "127.0.0.1:8792") found.push("it arrived for another host");
  // Whoever ends lines with less sees no other fields.
  if (text.split(/\r\n|\r|\n/).length !== text.split("\r\n").length || text.includes("\0")) found.push("its head has line ends within lines");
  return found;
}

/** How often each status was answered. */
const statuses = new Map();

/** Sends one connection's worth of requests, and checks the order of what comes back. */
async function converse(make, batch) {
  const isRough = batch.some((request) => request.isRough);
  const all = isRough || batch.at(-1).closes ? batch : [...batch, make.last()];
  const bytes = all.map((request) => request.bytes).join("");
  const { answers, rest, isQuiet } = await talk(server.port, bytes, { methods: all.map(({ method }) => method), count: Infinity, half: isRough });
  const wrong = [];
  const first = all.findIndex((request) => request.isRough || request.closes);
  // Up to the first that a server may refuse by hanging up, each answer is its request's.
  for (const [at, request] of all.slice(0, first < 0 ? all.length : first).entries()) {
    const answer = answers[at];
    // Where something goes wrong further behind, workerd may give up what it was at.
    if (!answer) {
      if (!isRough) wrong.push(`${request.mark} got no answer`);
      break;
    }
    if (answer.seen !== undefined && answer.seen !== request.mark) wrong.push(`${request.mark} got the answer of ${answer.seen}`);
    request.status = answer.status;
    if (answer.status >= 500) wrong.push(`${request.mark} got ${answer.status}`);
  }
  for (const { status } of answers) statuses.set(status, (statuses.get(status) ?? 0) + 1);
  const marks = answers.map(({ seen }) => seen).filter((seen) => seen !== undefined);
  for (const mark of marks) if (!make.sent.has(mark)) wrong.push(`an answer for ${mark}, which nobody is`);
  const own = new Set(all.map(({ mark }) => mark));
  for (const mark of marks) if (!own.has(mark) && !make.sent.get(mark)?.isInner) wrong.push(`an answer of another connection: ${mark}`);
  if (!isRough && rest !== "") wrong.push(`bytes behind the last answer: ${shown(rest)}`);
  if (!isRough && isQuiet) wrong.push("it was not closed");
  return { wrong: wrong.map((text) => `${text}\n  sent: ${shown(bytes)}\n  answers: ${JSON.stringify(answers.map(({ status, seen }) => [status, seen]))}`), isQuiet };
}

test(`attack_55 attack_56 attack_57 ${COUNT} requests that could be read in two ways: what arrives was allowed, and says of its caller what tollgate says (SEED=${SEED})`, { timeout: 120_000 + COUNT * 20 }, async (context) => {
  context.diagnostic(`SEED=${SEED} COUNT=${COUNT}`);
  const random = randomness(SEED);
  const make = maker(random, { tokens, authority });
  const batches = [];
  let count = 0;
  const batch = [];
  while (count < COUNT) {
    const request = make.request();
    count += 1;
    batch.push(request);
    // A connection ends with a request that may be refused by hanging up, but for some, where it is looked whether what is behind it is read.
    const ends = request.isRough || request.closes ? random.may(0.9) : random.may(0.1);
    if (ends || count === COUNT) batches.push(batch.splice(0));
  }
  const wrong = [];
  let [quiet, next] = [0, 0];
  const start = performance.now();
  await Promise.all(
    Array.from({ length: SIDE_BY_SIDE }, async () => {
      while (next < batches.length) {
        const said = await converse(make, batches[(next += 1) - 1]);
        wrong.push(...said.wrong);
        if (said.isQuiet) quiet += 1;
      }
    }),
  );
  await sleep(300);
  const all = arrived();
  const seen = new Map();
  for (const arrival of all) {
    const mark = markOf(arrival);
    const was = make.sent.get(mark);
    const problems = was ? [...wrongs(policy, was, arrival), ...oddities(was, arrival)] : ["nobody sent it"];
    if (seen.has(mark)) problems.push("it arrived twice");
    seen.set(mark, arrival);
    if (problems.length > 0) wrong.push(`${problems.join("\n")}\n  sent: ${shown(was?.bytes ?? was)}\n  arrived: ${shown(arrival)}`);
  }
  for (const odd of upstream.odd) wrong.push(`bytes that are no request arrived: ${shown(odd)}`);
  // And whatever is plain and allowed did arrive, so that refusing everything does not help.
  const plain = [...make.sent.values()].filter(({ isPlain, isRough }) => isPlain && !isRough);
  let passed = 0;
  for (const request of plain) {
    if (request.status === undefined) continue;
    const [path] = request.target.split("?");
    const may = (token) => ["service", "url"].some((to) => permits(policy, { method: request.method, path, hosts: ["127.0.0.1"], to, token }));
    // A route that nobody needs a token for does not look at one, nor at what is wrong with it.
    const isAllowed = may(undefined) || (request.by !== undefined && !request.target.includes("access_token=") && may(request.by));
    if (isAllowed !== seen.has(request.mark)) wrong.push(`${isAllowed ? "it was allowed and did not arrive" : "it was not allowed and arrived"} (${request.status})\n  sent: ${shown(request.bytes)}`);
    if (isAllowed) passed += 1;
  }
  const crooked = [...seen.keys()].filter((mark) => !make.sent.get(mark).isPlain).length;
  context.diagnostic(`${batches.length} connections, ${all.length} arrived, ${crooked} of them crooked; ${passed} plain ones passed; ${quiet} went quiet; answers ${[...statuses].map((pair) => pair.join(" x ")).join(", ")}; ${Math.round(performance.now() - start)} ms`);
  assert.equal(wrong.length, 0, `SEED=${SEED} COUNT=${COUNT}: ${wrong.length} are wrong. The first:\n${wrong.slice(0, 10).join("\n\n")}`);
  assert.ok(passed > COUNT / 50, `only ${passed} plain ones passed`);
  assert.ok(crooked > COUNT / 50, `only ${crooked} crooked ones arrived`);
  assert.ok(quiet < batches.length / 20, `${quiet} connections went quiet`);
});

/** Sends one request: its status, and what arrived of it. */
async function one(target, { method = "GET", host = authority, lines = [], body = "" } = {}) {
  arrived();
  const bytes = `${[`${method} ${target} HTTP/1.1`, `Host: ${host}`, "Connection: close", ...lines].join("\r\n")}\r\n\r\n${body}`;
  const { answers } = await talk(server.port, bytes, { methods: [method], half: true });
  return { status: answers[0]?.status, arrivals: arrived() };
}
const BEARER = `Authorization: Bearer ${tokens[0].text}`;
const named = ({ fields }, name) => fields.filter(([known]) => known.toLowerCase() === name).map(([, value]) => value);

test("attack_57 a host that is read in two ways is refused, and a target with an authority asks for nothing else", async () => {
  for (const host of [`${authority}@evil.example`, `evil.example@${authority}`, `${authority}\\@evil.example`, `${authority}, evil.example`, `${authority} evil.example`, `localhost:1@${authority}`, `${authority}%40evil`]) {
    const { status, arrivals } = await one("/health", { host });
    assert.deepEqual([status, arrivals.length], [400, 0], host);
  }
  for (const host of [`${authority}/locations?`, `${authority}/echo/open/`, `${authority}#`, `${authority}?`, "127.0.0.1:65536", "127.0.0.1:x", "127.0.0.1:80:80", "evil.example", "localhost.", "127.1", "[::1"]) {
    const { status, arrivals } = await one("/health", { host });
    assert.ok([400, 401, 403, 404].includes(status) && arrivals.length === 0, `${host}: ${status}`);
  }
  const twice = await one("/health", { lines: ["Host: evil.example"] });
  assert.ok(twice.status >= 400 && twice.arrivals.length === 0, `two hosts: ${twice.status}`);
  // Host counts, and the scheme is the connection's: nobody gets TLS by saying so.
  for (const origin of ["http://evil.example", "https://evil.example", `http://user@${authority}`, "http://localhost"]) {
    const passed = await one(`${origin}/health`);
    assert.equal(passed.status, 200, origin);
    assert.deepEqual(passed.arrivals.map(({ host, path }) => [host, path]), [[authority, "/health"]], origin);
    assert.deepEqual(passed.arrivals.flatMap((arrival) => named(arrival, "host")), [authority], origin);
    for (const [path, host] of [["/locations", authority], ["/health", "evil.example"]]) {
      const { status, arrivals } = await one(`${origin}${path}`, { host });
      assert.ok([401, 403].includes(status) && arrivals.length === 0, `${origin}${path}: ${status}`);
    }
  }
  // A route of one host is for whoever says that host, and nothing that only looks like it.
  for (const host of ["localhost:1@evil.example", "localhost, evil.example", "localhost:x"]) {
    assert.deepEqual((await one("/a/b", { method: "PATCH", host, lines: ["Content-Length: 0"] })).arrivals, [], host);
  }
  assert.equal((await one("/a/b", { method: "PATCH", host: "LOCALHOST:80", lines: ["Content-Length: 0"] })).arrivals.length, 1);
});

test("attack_57 dots, spaces and escapes that some servers read as another folder are refused", async () => {
  for (const up of ["..%20", "%20..", "...", "..%20%20", "%20", "..%20;x", "%c0%ae%c0%ae", "%c0%ae.", "%e0%80%ae%e0%80%ae", "..%c0%af", "%ff", "%c3", "%ed%a0%80"]) {
    for (const target of [`/echo/open/${up}/test/x`, `/echo/test/${up}/open/x`, `/counted/${up}`]) {
      const { status, arrivals } = await one(target, { lines: [BEARER] });
      assert.deepEqual([status, arrivals.length], [400, 0], target);
    }
  }
  for (const name of ["a%20b", "%C3%A4", ".well", "a..b", "b.", "%252e%252e"]) {
    const { status, arrivals } = await one(`/counted/${name}`, { lines: [BEARER] });
    assert.deepEqual([status, arrivals.map(({ path }) => path)], [200, [`/counted/${name}`]], name);
  }
});

test("attack_57 a length in another spelling, another protocol and what Connection names stay here", async () => {
  const lengths = ["Content_Length: 99", "CONTENT.LENGTH: 99", "Transfer_Encoding: chunked", "Transfer~Encoding: chunked", "Keep_Alive: 5", "Proxy.Connection: keep-alive"];
  const hops = ["Connection: X-Hop", "X-Hop: 1", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "Connection: Upgrade, HTTP2-Settings"];
  for (const target of ["/counted/x", "/echo/test/x"]) {
    const { status, arrivals } = await one(target, { method: "POST", lines: [BEARER, ...lengths, ...hops, "Content-Length: 2"], body: "ok" });
    assert.deepEqual([status, arrivals.length], [200, 1]);
    const names = arrivals[0].fields.map(([name]) => name.toLowerCase());
    for (const name of [...lengths, "X-Hop: 1", "HTTP2-Settings: x"].map((line) => line.split(":")[0].toLowerCase())) assert.ok(!names.includes(name), `${target}: ${name}`);
    if (target === "/counted/x") assert.ok(!names.includes("upgrade"));
    assert.deepEqual([named(arrivals[0], "content-length"), named(arrivals[0], "x-tollgate-subject").length], [["2"], 1]);
  }
});

server.endsWithoutLeaks();
