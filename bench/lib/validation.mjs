// Validation alone: every contestant validates tokens in a loop inside of its worker, and the time is taken here.
import { median, order } from "./statistics.mjs";

const MODES = ["first", "repeated"];

/** The service that a contestant of this part is: the gateway part has its own ones. */
export const serviceOf = (contestant) => `validate-${contestant}`;

// A large batch takes at least this; a small one is a tenth of it.
const LARGE_MS = 120;
const MOST = 5_000_000;

/** One batch: how long its request took. Throws unless every validation said yes. */
async function batch(server, { contestant, name, mode, n }) {
  const { status, text, ms } = await server.ask(serviceOf(contestant), "POST", `/run?case=${name}&mode=${mode}&n=${n}`);
  if (status !== 200 || JSON.parse(text).ok !== n) throw new Error(`${contestant}, ${name}, ${mode}: ${status} ${text.slice(0, 2000)}`);
  return ms;
}

/** How many validations make a large batch. Until that is known the code gets warm, too. */
async function calibrate(server, place) {
  let n = 20;
  for (;;) {
    await batch(server, { ...place, n });
    const ms = await batch(server, { ...place, n });
    // Short batches are mostly the request itself, so the estimate is refined until it holds.
    if (ms >= LARGE_MS || n >= MOST) return n;
    n = Math.min(MOST, Math.ceil(n * Math.min(8, Math.max(1.2, (LARGE_MS * 1.1) / ms))));
  }
}

/**
 * Hands the tokens over, and makes sure that each contestant takes the good one and refuses the bad ones.
 * Returns the cases that each takes part in, and why not in the others.
 */
async function prepare(server, contestants, specs, config) {
  const body = JSON.stringify({ specs, config });
  const part = new Map();
  const notes = [];
  for (const contestant of contestants) {
    const service = serviceOf(contestant);
    const loaded = await server.ask(service, "POST", "/load", { headers: { "content-type": "application/json" }, body });
    if (loaded.status !== 200) {
      notes.push(`${contestant} does not run: ${loaded.text.slice(0, 500)}`);
      continue;
    }
    const reasons = Object.entries(JSON.parse(loaded.text).failed);
    const out = new Set(reasons.map(([name]) => name));
    for (const name of Object.keys(specs).filter((name) => !out.has(name))) {
      const { status, text } = await server.ask(service, "POST", `/refuses?case=${name}`);
      const wrong = status === 200 ? JSON.parse(text).wrong : [text.slice(0, 500)];
      if (wrong.length > 0) reasons.push([name, wrong.join("; ")]);
    }
    // One note for all cases that have the same reason.
    for (const why of new Set(reasons.map(([, why]) => why))) {
      const names = reasons.filter(([, other]) => other === why).map(([name]) => name);
      notes.push(`${contestant} is left out of ${names.join(", ")}: ${why}`);
    }
    const left = new Set(reasons.map(([name]) => name));
    part.set(contestant, Object.keys(specs).filter((name) => !left.has(name)));
  }
  return { part, notes };
}

/** Measures everybody. The result has, for each mode and case, the cost in microseconds per round and contestant. */
export async function measureValidation(server, contestants, specs, { config, rounds, say }) {
  say("validation: handing out tokens, checking refusals");
  const { part, notes } = await prepare(server, contestants, specs, config);
  const results = { first: {}, repeated: {} };

  for (const mode of MODES) {
    for (const name of Object.keys(specs)) {
      const takers = contestants.filter((contestant) => part.get(contestant)?.includes(name));
      const sizes = new Map();
      for (const contestant of takers) sizes.set(contestant, await calibrate(server, { contestant, name, mode }));

      const raw = Object.fromEntries(takers.map((contestant) => [contestant, []]));
      for (let round = 0; round < rounds; round += 1) {
        for (const contestant of order(takers, round)) {
          const large = sizes.get(contestant);
          const small = Math.max(1, Math.round(large / 10));
          const [smallMs, largeMs] = [
            await batch(server, { contestant, name, mode, n: small }),
            await batch(server, { contestant, name, mode, n: large }),
          ];
          raw[contestant].push({ small, smallMs, large, largeMs, us: ((largeMs - smallMs) * 1000) / (large - small) });
        }
      }
      results[mode][name] = raw;
      const costs = takers.map((contestant) => `${contestant} ${median(raw[contestant].map(({ us }) => us)).toPrecision(3)}`);
      say(`validation: ${mode} ${name}: ${costs.join(", ")} us`);
    }
  }
  return { results, notes };
}
