// The whole way of a request: loopback, a guard, the upstream behind it.
import { load } from "./wrk.mjs";
import { median, order } from "./statistics.mjs";

const PATH = "/orders/o-1002";
const CONNECTIONS = 16;

/** Nobody is measured who does not do the work: 200 with the token, and 401 without for those that check it. */
async function prove(server, { service, guards }, token) {
  const good = await server.ask(service, "GET", PATH, { headers: { authorization: `Bearer ${token}` } });
  if (good.status !== 200 || !good.text.includes("o-1002")) return `answers ${good.status} with the token: ${good.text.slice(0, 300)}`;
  if (!guards) return undefined;
  const changed = `${token.slice(0, -10)}${token.at(-10) === "A" ? "B" : "A"}${token.slice(-9)}`;
  for (const [what, headers] of [["no token", {}], ["a tampered token", { authorization: `Bearer ${changed}` }]]) {
    const { status } = await server.ask(service, "GET", PATH, { headers });
    if (status !== 401) return `answers ${status} with ${what}`;
  }
  return undefined;
}

/** Measures requests per second of every contestant, alternating, each loaded for `seconds` in each round. */
export async function measureGateway(server, contestants, token, { rounds, seconds, say }) {
  const notes = [];
  const takers = [];
  for (const contestant of contestants) {
    const wrong = await prove(server, contestant, token);
    if (!wrong) {
      takers.push(contestant.service);
      continue;
    }
    notes.push(`${contestant.service} is left out of the gateway part: it ${wrong}`);
    say(`${notes.at(-1)}\n${server.output()}`);
  }

  // The platform's front sends `Connection` with every request.
  const headers = { authorization: `Bearer ${token}`, connection: "Keep-Alive" };
  const loaded = (service, time) => load(server.url(service, PATH), { seconds: time, connections: CONNECTIONS, headers });
  for (const service of takers) {
    say(`gateway: warming up ${service}`);
    await loaded(service, 1);
  }
  const raw = Object.fromEntries(takers.map((service) => [service, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const service of order(takers, round)) raw[service].push(await loaded(service, seconds));
    const rates = takers.map((service) => `${service} ${Math.round(raw[service].at(-1).requestsPerSecond)}`);
    say(`gateway: round ${round + 1} of ${rounds}: ${rates.join(", ")} requests/s`);
  }
  for (const service of takers) say(`gateway: ${service}: median ${Math.round(median(raw[service].map((one) => one.requestsPerSecond)))} requests/s`);
  return { results: raw, notes, connections: CONNECTIONS, seconds };
}
