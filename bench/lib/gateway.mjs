// The whole way of a request: loopback, a guard, the upstream behind it.
import { existsSync, readFileSync } from "node:fs";

import { load } from "./wrk.mjs";
import { median, order } from "./statistics.mjs";

const PATH = "/orders/o-1002";
const CONNECTIONS = 16;
const WARM_UP_SECONDS = 2;
const TICKS_PER_SECOND = 100; // of /proc, on every Linux

/** How long a process has computed, all its threads together, in seconds; not a number where the system does not say. */
function cpuSeconds(pid) {
  const path = `/proc/${pid}/stat`;
  if (!existsSync(path)) return Number.NaN;
  const fields = readFileSync(path, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Nobody is measured who does not do the work: 200 with the token, 401 without, 403 with one that lacks the scope, and 404 for another method or path, for those that check it. */
async function prove(server, { service, guards }, token, other) {
  const good = await server.ask(service, "GET", PATH, { headers: { authorization: `Bearer ${token}` } });
  if (good.status !== 200 || !good.text.includes("o-1002")) return `answers ${good.status} with the token: ${good.text.slice(0, 300)}`;
  if (!guards) return undefined;
  const changed = `${token.slice(0, -10)}${token.at(-10) === "A" ? "B" : "A"}${token.slice(-9)}`;
  const asks = (text) => ({ authorization: `Bearer ${text}` });
  for (const [what, method, path, headers, wanted] of [
    ["no token", "GET", PATH, {}, 401],
    ["a tampered token", "GET", PATH, asks(changed), 401],
    ["a token that lacks the scope", "GET", PATH, asks(other), 403],
    ["another method", "DELETE", PATH, asks(token), 404],
    ["another path", "GET", "/elsewhere", asks(token), 404],
  ]) {
    const { status } = await server.ask(service, method, path, { headers });
    if (status !== wanted) return `answers ${status} to ${what}`;
  }
  return undefined;
}

/** The contestant that all others are paired with. */
export const BESIDE = "pass-through";

/**
 * Measures requests per second of every contestant, in rounds of alternating order, each loaded for `seconds` in a round.
 * The pass-through is loaded before and after each of the others: a machine whose speed drifts drifts for both, and
 * `beside` is what the pass-through did around this very slice.
 */
export async function measureGateway(server, contestants, [token, other], { rounds, seconds, say }) {
  const notes = [];
  const takers = [];
  for (const contestant of contestants) {
    const wrong = await prove(server, contestant, token, other);
    if (!wrong) {
      takers.push(contestant.service);
      continue;
    }
    notes.push(`${contestant.service} is left out of the gateway part: it ${wrong}`);
    say(`${notes.at(-1)}\n${server.output()}`);
  }
  if (!takers.includes(BESIDE)) throw new Error(`Without ${BESIDE} there is nothing to compare with:\n${notes.join("\n")}`);

  // The platform's front sends `Connection` with every request.
  const headers = { authorization: `Bearer ${token}`, connection: "Keep-Alive" };
  const loaded = async (service, time) => {
    const before = cpuSeconds(server.pid);
    const result = await load(server.url(service, PATH), { seconds: time, connections: CONNECTIONS, headers });
    return { ...result, cpuUs: ((cpuSeconds(server.pid) - before) / result.requests) * 1e6 };
  };
  for (const service of takers) {
    say(`gateway: warming up ${service}`);
    await loaded(service, WARM_UP_SECONDS);
  }
  const others = takers.filter((service) => service !== BESIDE);
  const raw = Object.fromEntries(takers.map((service) => [service, []]));
  for (let round = 0; round < rounds; round += 1) {
    let before = await loaded(BESIDE, seconds);
    raw[BESIDE].push(before);
    for (const service of order(others, round)) {
      const own = await loaded(service, seconds);
      const after = await loaded(BESIDE, seconds);
      raw[service].push({ ...own, beside: (before.requestsPerSecond + after.requestsPerSecond) / 2 });
      raw[BESIDE].push(after);
      before = after;
    }
    const rates = others.map((service) => {
      const { requestsPerSecond, beside } = raw[service].at(-1);
      return `${service} ${Math.round(requestsPerSecond)} (${(requestsPerSecond / beside).toFixed(2)})`;
    });
    say(`gateway: round ${round + 1} of ${rounds}, requests/s and times ${BESIDE}: ${rates.join(", ")}`);
  }
  for (const service of takers) say(`gateway: ${service}: median ${Math.round(median(raw[service].map((one) => one.requestsPerSecond)))} requests/s`);
  return { results: raw, notes, connections: CONNECTIONS, seconds };
}
