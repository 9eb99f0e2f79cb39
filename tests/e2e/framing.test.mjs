// Where one message ends and the next begins: bodies that nobody reads, and answers that say two things about their length. Whatever one
// request or answer looks like, the next one on the same connection is what it was, here and behind the gate.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { realmOf } from "./support/issuer.mjs";
import { startPlain } from "./support/plain.mjs";
import { answer, startWireUpstream, talk } from "./support/wire.mjs";

const upstream = await startWireUpstream();
const noted = [];
const server = await startPlain("framing", { config: "tests/e2e/tollgate.json", fetches: upstream.port, seen: (note) => noted.push(note) });
const realm = realmOf(server, "test");
const { access_token: token } = await realm.grant(await realm.client({ grant_types: ["client_credentials"] }));

const HOST = `Host: 127.0.0.1:${server.port}`;
const BEARER = `Authorization: Bearer ${token}`;
let marks = 0;
const newMark = () => `m${(marks += 1)}`;
const message = (method, target, lines, body = "") => `${method} ${target} HTTP/1.1\r\n${[HOST, ...lines].join("\r\n")}\r\n\r\n${body}`;
const arrived = (mark) => [...upstream.requests.map(({ fields }) => fields), ...noted.map(({ headers }) => headers)].filter((fields) => fields.some(([name, value]) => name.toLowerCase() === "x-mark" && value === mark)).length;

/** The same body, in the ways that a length is said. */
const framings = (body) => ({
  "its length": { lines: [`Content-Length: ${body.length}`], body },
  chunks: { lines: ["Transfer-Encoding: chunked"], body: `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n` },
  "chunks, of a byte each": { lines: ["Transfer-Encoding: chunked"], body: `${[...body.slice(0, 2000)].map((byte) => `1\r\n${byte}\r\n`).join("")}0\r\n\r\n` },
});

const FORM = "Content-Type: application/x-www-form-urlencoded";
const REFUSED = {
  "no token": [401, "POST", "/counted/x", []],
  "two tokens": [400, "POST", "/counted/x", [BEARER, BEARER]],
  "a token that is none": [401, "POST", "/counted/x", [`${BEARER}x`]],
  "no scope": [403, "POST", "/orders", [BEARER]],
  "no route": [404, "POST", "/nowhere", [BEARER]],
  "no normal form": [400, "POST", "/counted//x", [BEARER]],
  "a GET": [400, "GET", "/counted", []],
  "a HEAD": [400, "HEAD", "/echo/open/x", []],
  "another method of the issuer's": [405, "PUT", "/test/jwks", []],
  "what is no form": [400, "POST", "/test/oauth/token", []],
  "the check endpoint": [403, "POST", "/_tollgate/check", [BEARER]],
  health: [200, "POST", "/healthz", []],
  "a form that is too long": [413, "POST", "/places/form", [BEARER, FORM]],
};

for (const [what, [status, method, target, lines]] of Object.entries(REFUSED)) {
  test(`attack_57 a body that nobody reads hides no request: ${what}`, async () => {
    const isForm = lines.includes(FORM);
    for (const size of isForm ? [70_000] : [0, 70_000, 1_500_000]) {
      const [hidden, secret] = [newMark(), newMark()];
      const inner = message("GET", "/counted", [`X-Mark: ${hidden}`]) + message("GET", "/counted/x", [BEARER, `X-Mark: ${secret}`]);
      for (const [how, framed] of Object.entries(framings("x".repeat(size) + inner))) {
        if (isForm && how.startsWith("chunks, of")) continue; // it is shorter, and read
        const next = newMark();
        const first = message(method, target, [...lines, ...framed.lines], framed.body);
        const { answers } = await talk(server.port, first + message("GET", "/counted", [`X-Mark: ${next}`, "Connection: close"]), { methods: [method, "GET"] });
        assert.equal(answers[0]?.status, status, `${how}, ${size}: ${JSON.stringify(answers[0])}`);
        // It may hang up instead: then the next is sent again, on another connection.
        if (answers[1]) assert.deepEqual([answers[1].status, answers[1].seen, arrived(next)], [200, next, 1], `${how}, ${size}`);
        else assert.ok(size > 0 || how.startsWith("chunks, of"), `${how}: a short body is no reason to hang up`);
        assert.deepEqual([arrived(hidden), arrived(secret)], [0, 0], `${how}, ${size}: a body was read as a request`);
      }
    }
    assert.deepEqual(upstream.odd, []);
  });
}

/** One request for a path of the upstream's, and its answer. */
async function ask(path, { lines = [], method = "GET", body = "", mark = newMark() } = {}) {
  const sent = message(method, path, [`X-Mark: ${mark}`, "Connection: close", ...lines], body);
  const { answers } = await talk(server.port, sent, { methods: [method] });
  return { mark, ...answers[0] };
}

/** Others get their own answers, one after the other and side by side. */
async function othersAreServed(about) {
  const check = ({ mark, status, seen, body }) => assert.deepEqual([status, seen, body], [200, mark, `{"mark":"${mark}"}`], about);
  for (let n = 0; n < 3; n += 1) check(await ask("/counted"));
  for (const answer of await Promise.all(Array.from({ length: 5 }, () => ask("/counted")))) check(answer);
  for (const answer of await Promise.all(Array.from({ length: 5 }, () => ask("/counted/other", { lines: [BEARER] })))) check(answer);
}

test("attack_57 an upstream that answers before it has read a body gets the next request as it is", async () => {
  const inner = message("GET", "/base/counted", ["X-Mark: hidden"]);
  for (const [what, page] of Object.entries({
    "and goes on": (socket, request) => socket.write(answer(request)),
    "and hangs up": (socket, request) => socket.end(answer(request)),
    "and says that it will": (socket, request) => socket.end(answer(request, { more: "Connection: close\r\n" })),
    "and is gone": (socket, request) => socket.write(answer(request), () => socket.destroy()),
  })) {
    const path = `/base/counted/hasty${marks}`;
    upstream.early(path, page);
    for (const size of [0, 70_000, 1_500_000]) {
      for (const [how, framed] of Object.entries(framings("x".repeat(size) + inner))) {
        const said = await ask(path.slice("/base".length), { method: "POST", lines: [BEARER, ...framed.lines], body: framed.body });
        assert.ok(said.status === undefined || said.status === 502 || (said.status === 200 && said.seen === said.mark), `${what}, ${how}, ${size}: ${JSON.stringify(said)}`);
        await othersAreServed(`${what}, ${how}, ${size}`);
        assert.equal(arrived("hidden"), 0);
      }
    }
  }
  assert.deepEqual(upstream.odd, []);
});

const EVIL = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Seen: evil\r\nContent-Length: 4\r\n\r\nevil`;
const OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
const pieces = (...all) => async (socket) => {
  for (const piece of all) {
    if (typeof piece === "number") await sleep(piece);
    else if (piece === null) socket.end();
    else if (!socket.destroyed) socket.write(piece);
  }
};
/** What an upstream writes, and what may come of it: statuses, and whether the body has to be cut off. */
const ODD = {
  "two answers at once": [pieces(`${OK}Content-Length: 2\r\n\r\nok${EVIL}`), [200, 502]],
  "another answer a moment later": [pieces(`${OK}Content-Length: 2\r\n\r\nok`, 30, EVIL), [200]],
  "more than its length": [pieces(`${OK}Content-Length: 2\r\n\r\nokevil`), [200, 502]],
  "two answers, the first in chunks": [pieces(`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${EVIL}`), [200, 502]],
  "a length and chunks": [pieces(`${OK}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n`), [200, 502]],
  "two lengths": [pieces(`${OK}Content-Length: 2\r\nContent-Length: 6\r\n\r\nokevil`), [200, 502]],
  "a length that is none": [pieces(`${OK}Content-Length: 2x\r\n\r\nok${EVIL}`), [200, 502]],
  "a length below nothing": [pieces(`${OK}Content-Length: -2\r\n\r\nok${EVIL}`), [200, 502]],
  "a 204 with a body": [pieces(`HTTP/1.1 204 No Content\r\nContent-Length: ${EVIL.length}\r\n\r\n${EVIL}`), [204, 502]],
  "a 304 with a body": [pieces(`HTTP/1.1 304 Not Modified\r\nContent-Length: ${EVIL.length}\r\n\r\n${EVIL}`), [304, 502]],
  "a 204 in chunks": [pieces(`HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n`), [204, 502]],
  "another protocol": [pieces(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n${EVIL}`), [502]],
  "an information first": [pieces("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", 20, `${OK}Content-Length: 2\r\n\r\nok`), [200, 502]],
  "two informations": [pieces(`HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n${OK}Content-Length: 2\r\n\r\nok`), [200, 502]],
  "no length, until it hangs up": [pieces(`${OK}\r\nok`, 20, null), [200]],
  "no answer": [pieces(null), [502]],
  "half a head": [pieces("HTTP/1.1 200 OK\r\nX-See", null), [502]],
  "what is none": [pieces(`evil${EVIL}`), [502]],
  "a head with a line in a line": [pieces(`${OK}X-A: a\rX-Seen: evil\r\nContent-Length: 2\r\n\r\nok`), [200, 502]],
  "less than its length": [pieces(`${OK}Content-Length: 10\r\n\r\nok`, 20, null), [200], "cut"],
  "chunks without an end": [pieces(`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n`, 20, null), [200], "cut"],
  "chunks that are none": [pieces(`${OK}Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\nzz\r\n`), [200], "cut"],
  "a chunk that is too short": [pieces(`${OK}Transfer-Encoding: chunked\r\n\r\n9\r\nok`, 20, null), [200], "cut"],
};

for (const [what, [page, statuses, isCut]] of Object.entries(ODD)) {
  test(`attack_57 an upstream's answer is one caller's, whatever it looks like: ${what}`, async () => {
    for (const [method, folder] of [["GET", "counted"], ["HEAD", "heads"]]) {
      const path = `/${folder}/odd${newMark()}`;
      upstream.serve(`/base${path}`, page);
      const sent = message(method, path, [BEARER, `X-Mark: ${newMark()}`]);
      const { answers, rest, isQuiet } = await talk(server.port, sent, { methods: [method], patience: 2000 });
      if (isCut && method === "GET") {
        assert.equal(answers.length, 0, `it is cut off, and the caller sees that: ${JSON.stringify(answers)}`);
        assert.ok(!isQuiet, "at once");
        assert.match(rest, /^HTTP\/1\.1 (200|502) /);
      } else {
        // Of an answer to HEAD with two lengths workerd makes none, and hangs up.
        const isNone = method === "HEAD" && answers.length === 0 && !isQuiet && rest === "";
        assert.ok(isNone || statuses.includes(answers[0]?.status), `${JSON.stringify(answers)} ${rest}`);
        assert.doesNotMatch(`${JSON.stringify(answers)}${rest}`, /evil/);
      }
      await othersAreServed(what);
    }
  });
}

server.endsWithoutLeaks();
