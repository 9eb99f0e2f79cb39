// An upstream that sends a gigabyte: it passes, the memory of the process stays bounded, and others are served as before. On plain workerd, whose
// memory is nobody else's; who sends and who reads are programs of their own, so that the times of others are the gate's.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { root } from "../../tools/project.mjs";
import { lengths } from "./support/document.mjs";
import { realmOf } from "./support/issuer.mjs";
import { startPlain } from "./support/plain.mjs";

const MIB = 1024 * 1024;
const GB = 1e9;
/** What an answer of any length may add to what the process holds: pieces on their way, the module's memory, and above all what the engine collects when it likes. */
const MOST = 80 * MIB;
/** What it may add where the engine has to collect, because its heap may have no more than this (in MiB). */
const HEAP = 16;
const MOST_OF_LITTLE = 32 * MIB;

const sender = spawn(process.execPath, [join(root, "tests", "e2e", "support", "flooding.mjs")], { stdio: ["ignore", "pipe", "inherit"] });
after(() => sender.kill());
const fetches = Number(await once(sender.stdout, "data"));

/** A gate, and a token that it lets in. */
async function startGate(name, v8Flags) {
  const server = await startPlain(name, { config: "tests/e2e/redaction.json", fetches, v8Flags });
  const realm = realmOf(server, "test");
  const client = await realm.client({ grant_types: ["client_credentials"], scope: "customers:read", roles: ["reporting"] });
  return { server, token: (await realm.grant(client)).access_token };
}
const usual = await startGate("gigabyte");
const little = await startGate("gigabyte-little", [`--max-heap-size=${HEAP}`]);

/** What the process holds of this machine's memory, in bytes; `undefined` where the system does not say it this way. */
function resident({ server }) {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))[1]) * 1024;
  } catch {
    return undefined;
  }
}
const mib = (bytes) => `${(bytes / MIB).toFixed(0)} MiB`;
const nth = (times, share) => times.toSorted((a, b) => a - b)[Math.min(times.length - 1, Math.floor(times.length * share))];

/** Reads an answer with curl, which says how many bytes came, and fails where they are not all that there should be. */
async function read({ server, token }, path) {
  const reader = spawn("curl", ["--config", "-"], { stdio: ["pipe", "pipe", "inherit"] });
  reader.stdin.end(`url = "${server.url}${path}"\nheader = "Authorization: Bearer ${token}"\noutput = "/dev/null"\nsilent\nwrite-out = "%{http_code} %{size_download}"\n`);
  let said = "";
  reader.stdout.setEncoding("utf8").on("data", (piece) => (said += piece));
  const [code] = await once(reader, "close");
  return { code, said };
}

/** Times of others, who ask one after the other for as long as `until` is pending. */
async function others({ server, token }, until) {
  const times = [];
  let isOver = false;
  void until.finally(() => (isOver = true)).catch(() => {});
  while (!isOver) {
    const start = performance.now();
    const response = await fetch(`${server.url}/customers/c-1`, { headers: { authorization: `Bearer ${token}` } });
    await response.arrayBuffer();
    assert.equal(response.status, 200);
    times.push(performance.now() - start);
    await sleep(10);
  }
  return times;
}

for (const [what, gate, path, length, bound] of [
  ["1 GB as it comes", usual, `/whole/x?bytes=${GB}`, lengths(GB).sent, MOST],
  ["1 GB, redacted", usual, `/elsewhere/x?bytes=${GB}`, lengths(GB).seen, MOST],
  ["400 MB that are packed, redacted", usual, `/elsewhere/x?bytes=${4e8}&packed`, lengths(4e8).seen, MOST],
  [`1 GB, redacted with a heap of ${HEAP} MiB`, little, `/elsewhere/x?bytes=${GB}`, lengths(GB).seen, MOST_OF_LITTLE],
]) {
  test(`${what}: all of it passes, in bounded memory, and others are served as before`, { timeout: 120_000 }, async (context) => {
    const before = await others(gate, sleep(2000));
    const start = resident(gate);
    let most = start;
    const looking = setInterval(() => (most = Math.max(most, resident(gate))), 20);
    const from = performance.now();
    const reading = read(gate, path);
    const [answer, during] = await Promise.all([reading, others(gate, reading)]).finally(() => clearInterval(looking));
    const seconds = (performance.now() - from) / 1000;
    const told = (times) => `${nth(times, 0.5).toFixed(1)} ms (99th of 100: ${nth(times, 0.99).toFixed(0)} ms)`;
    context.diagnostic(`${seconds.toFixed(1)} s; ${start === undefined ? "memory unknown" : `${mib(start)} before, ${mib(most)} at most`}; others ${told(before)} before, ${told(during)} during`);
    assert.deepEqual(answer, { code: 0, said: `200 ${length}` });
    if (start !== undefined) assert.ok(most - start < bound, `${mib(most - start)} more`);
    assert.ok(during.length > 20, "enough others asked");
    // They share two threads with whoever sends, whoever reads, and this test.
    assert.ok(nth(during, 0.5) < nth(before, 0.5) * 20 + 50, `others took ${nth(during, 0.5)} ms instead of ${nth(before, 0.5)}`);
    assert.ok(nth(during, 0.99) < 3000, `one in a hundred took ${nth(during, 0.99)} ms`);
  });
}

for (const { server } of [usual, little]) server.endsWithoutLeaks();
