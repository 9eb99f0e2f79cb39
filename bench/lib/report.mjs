// Numbers as text: tables, and whether what was promised holds.
import { BESIDE } from "./gateway.mjs";
import { median, spread } from "./statistics.mjs";
import { MANY } from "./tollgate.mjs";

const round = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value >= 1 ? value.toFixed(2) : value.toPrecision(2));
const percent = (part) => `${(part * 100).toFixed(part < 0.095 ? 1 : 0)}%`;

/** `over` by `under`, round by round: what shook the machine shook both. */
const ratio = (over, under) => (over?.length && over.length === under?.length ? median(over.map((value, index) => value / under[index])) : undefined);

function table(rows) {
  const widths = rows[0].map((_cell, column) => Math.max(...rows.map((row) => row[column].length)));
  const line = (row) => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  ");
  return rows.map((row) => `  ${line(row).trimEnd()}`).join("\n");
}

const costs = (results, mode, name, service) => results[mode][name]?.[service]?.map(({ us }) => us);

const LABELS = { hono: "hono/jwk", raw: "subtle.verify" };

function validationTable({ results, contestants }, mode) {
  const cell = (name, service) => {
    const own = costs(results, mode, name, service);
    if (!own?.length) return ["-", "", ""];
    const faster = ratio(costs(results, mode, name, "jose"), own);
    return [round(median(own)), `±${percent(spread(own))}`, faster === undefined ? "" : `${round(faster)}x`];
  };
  const rows = Object.keys(results[mode]).map((name) => [name, ...contestants.flatMap((service) => cell(name, service))]);
  return table([["", ...contestants.flatMap((service) => [LABELS[service] ?? service, "", ""])], ...rows]);
}

/** How a service of the gateway part did beside the pass-through, round by round; the pass-through itself is 1. */
const pairs = (results, service) => results[service]?.map(({ requestsPerSecond, beside }) => requestsPerSecond / beside);

/** `service` against `other`, each measured beside the pass-through of its own moment. */
function paired(results, service, other) {
  if (service === other) return 1;
  const own = service === BESIDE ? pairs(results, other)?.map(() => 1) : pairs(results, service);
  return ratio(own, other === BESIDE ? own?.map(() => 1) : pairs(results, other));
}

function gatewayTable({ results }) {
  const rows = Object.keys(results).map((service) => {
    const times = (other) => {
      const value = paired(results, service, other);
      return value === undefined ? "-" : `${value.toFixed(2)}x`;
    };
    const apart = service === BESIDE ? "" : `±${percent(spread(pairs(results, service)))}`;
    const latency = (key) => `${median(results[service].map((one) => one[key] ?? Number.NaN)).toFixed(2)} ms`;
    const rate = median(results[service].map((one) => one.requestsPerSecond));
    const computed = `${median(results[service].map(({ cpuUs }) => cpuUs)).toFixed(0)} us`;
    return [service, rate.toFixed(0), times(BESIDE), apart, times("jose-guard"), computed, latency("p50Ms"), latency("p99Ms")];
  });
  return table([["", "requests/s", BESIDE, "", "jose-guard", "CPU", "p50", "p99"], ...rows]);
}

/** Who is paired with whom in the issuer part, by grant. */
const ISSUERS = [
  ["refresh_token", "workers-oauth-provider"],
  ["client_credentials", "oidc-provider"],
];

const FLOOR = "floor client_credentials";

const issued = (issuer, [grant, peer]) => issuer && ratio(issuer.results[`tollgate ${grant}`], issuer.results[`${peer} ${grant}`]);

function issuerTable(issuer) {
  const rate = (name) => median(issuer.results[name]).toFixed(0);
  const apart = (name) => `±${percent(spread(issuer.results[name]))}`;
  const rows = ISSUERS.map(([grant, peer]) => {
    const [own, other] = [`tollgate ${grant}`, `${peer} ${grant}`];
    return [grant, rate(own), apart(own), `${peer} ${rate(other)}`, apart(other), `${issued(issuer, [grant, peer]).toFixed(2)}x`];
  });
  const share = (grant) => `${(100 * ratio(issuer.results[`tollgate ${grant}`], issuer.results[FLOOR])).toFixed(0)}%`;
  const floor = `  A worker that issues nothing answers ${rate(FLOOR)}/s ±${percent(spread(issuer.results[FLOOR]))}; client_credentials is ${share("client_credentials")} of that`;
  return `${table([["", "tollgate", "", "beside", "", ""], ...rows])}\n${floor}`;
}

/** What must hold: a sentence, the measured value and the bound. */
export function verdicts({ validation, gateway, issuer }) {
  const cost = (mode, name, service) => validation && costs(validation.results, mode, name, service);
  const through = (other) => gateway && paired(gateway.results, "tollgate", other);
  const faster = (mode, name) => ratio(cost(mode, name, "jose"), cost(mode, name, "tollgate"));
  const bounds = [
    ["repeated token, ES256: validations/s, times jose", faster("repeated", "ES256"), "at least", 15],
    ["repeated token, HS256: validations/s, times jose", faster("repeated", "HS256"), "at least", 5],
    ...["RS256", "ES256", "EdDSA"].map((name) => [`first-seen token, ${name}: validations/s, times jose`, faster("first", name), "at least", 1]),
    ...["ES256", "EdDSA"].map((name) => [
      `first-seen token, ${name}: cost, times crypto.subtle.verify alone`,
      ratio(cost("first", name, "tollgate"), cost("first", name, "raw")),
      "at most",
      1.25,
    ]),
    ["gateway: requests/s, times the bare pass-through", through(BESIDE), "at least", 0.8],
    ["gateway: requests/s, times the jose guard", through("jose-guard"), "at least", 1.6],
    ["gateway: requests/s, times the hono guard", through("hono-guard"), "at least", 2],
    ["gateway: requests/s with 10,000 routes, times with one", gateway && paired(gateway.results, MANY, "tollgate"), "at least", 0.95],
    ...ISSUERS.map((pair) => [`issuer: ${pair[0]}: tokens/s, times ${pair[1]}`, issued(issuer, pair), "at least", 1]),
  ];
  return bounds.map(([what, value, sense, bound]) => ({
    what,
    value,
    sense,
    bound,
    holds: value === undefined ? undefined : sense === "at least" ? value >= bound : value <= bound,
  }));
}

const verdictLine = ({ what, value, sense, bound, holds }) => {
  const word = holds === undefined ? "not measured" : holds ? "pass" : "FAIL";
  return `  ${word.padEnd(12)}  ${what}: ${value === undefined ? "-" : value.toFixed(2)} (${sense} ${bound})`;
};

export function report(result) {
  const { machine, versions, validation, gateway, issuer } = result;
  const parts = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.kernel}; load ${machine.loadBefore} before the run`,
    Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(", "),
  ];
  if (validation) {
    const how = `us per validation, ± how far rounds differ, validations/s relative to jose; median of ${validation.rounds} rounds`;
    parts.push(
      "",
      `A token that was not seen before: ${how}`,
      validationTable(validation, "first"),
      "",
      `One token over and over: ${how}`,
      validationTable(validation, "repeated"),
    );
  }
  if (gateway) {
    parts.push(
      "",
      `Through the gateway, one token of a realm over and over: requests/s, and relative to two of them, each beside the pass-through of its moment; ± how far rounds differ; wrk with ${gateway.connections} connections for ${gateway.seconds} s, median of ${gateway.rounds} rounds`,
      gatewayTable(gateway),
    );
  }
  if (issuer) {
    parts.push(
      "",
      `Tokens issued per second, ± how far rounds differ, tollgate relative to the other of its round; ${issuer.connections} connections for ${issuer.seconds} s, median of ${issuer.rounds} rounds`,
      issuerTable(issuer),
      `  One session of a realm with grain 0, each request through the gateway asks its object: ${median(issuer.touch).toFixed(0)} requests/s ±${percent(spread(issuer.touch))}`,
    );
  }
  if (result.notes.length > 0) parts.push("", "Notes", ...result.notes.map((note) => `  ${note}`));
  parts.push("", "Must hold", ...result.verdicts.map(verdictLine));
  return `${parts.join("\n")}\n`;
}
