// `make bench`: tollgate beside others, in one workerd and one run. bench/README.md says what is measured and how.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";

import { fail, root } from "../tools/project.mjs";
import { buildWorker } from "../tools/worker.mjs";
import { measureGateway } from "./lib/gateway.mjs";
import { measureIssuer, tokensOfRealm } from "./lib/issuer.mjs";
import { machine, versions, watchCores } from "./lib/machine.mjs";
import { report, verdicts } from "./lib/report.mjs";
import { AUDIENCE, CASES, ISSUER, TYP, configuration, keys, manyRoutes, specOf } from "./lib/tokens.mjs";
import { MANY, findBuilds, gatewayServices, newBootstrap } from "./lib/tollgate.mjs";
import { measureValidation, serviceOf } from "./lib/validation.mjs";
import { bundle, modulesOf, startWorkerd, to } from "./lib/workerd.mjs";
import { ensureWrk } from "./lib/wrk.mjs";

const USAGE = `node bench/run.mjs [options]        (or: make bench BENCH="--quick")

Measures token validation, requests per second and tokens issued per second of tollgate and of others.

  --quick              three rounds, and loads of one second: to see that it works, not to compare
  --only PART          validation, gateway, or issuer
  --rounds N           alternating rounds of every part (validation 11, gateway 40, issuer 7)
  --seconds N          how long each contestant is loaded in each round (1; in the issuer part 2)
  --json PATH          where the numbers go (target/bench/result.json)
  --harness FOLDER     another build of tollgate with the feature harness
  --gateway FOLDER     another build of tollgate, made with target/bench/tollgate.json
  --prepare            build tollgate and stop
  --check              end with 1 unless everything that must hold was measured and holds
  --help
`;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean" },
    only: { type: "string" },
    rounds: { type: "string" },
    seconds: { type: "string" },
    json: { type: "string" },
    harness: { type: "string" },
    gateway: { type: "string" },
    prepare: { type: "boolean" },
    check: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const count = (name, otherwise) => {
  const value = Number(values[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 1) fail(`--${name} must be a whole number from 1, not \`${values[name]}\`.`, 2);
  return value;
};
const PARTS = ["validation", "gateway", "issuer"];
if (values.only && !PARTS.includes(values.only)) fail(`--only must be one of ${PARTS.join(", ")}, not \`${values.only}\`.`, 2);

const folder = join(root, "target", "bench");
const parts = values.only ? [values.only] : PARTS;
const rounds = Object.fromEntries(PARTS.map((part, at) => [part, count("rounds", values.quick ? 3 : [11, 40, 7][at])]));
const seconds = count("seconds", 1);
const json = resolve(values.json ?? join(folder, "result.json"));

const started = Date.now();
const say = (text) => process.stderr.write(`[${((Date.now() - started) / 1000).toFixed(0).padStart(3)} s] ${text}\n`);

/** Untouched when equal: its time would make cargo compile again. */
function writeConfiguration(name, document) {
  const path = join(folder, name);
  const text = `${JSON.stringify(document, undefined, 2)}\n`;
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
  return text;
}

/** A folder in memory, where the system has such: what a disk takes to write is no issuer's doing, and the peers' stores have none. */
const memoryFolder = () => (existsSync("/dev/shm") ? mkdtempSync("/dev/shm/tollgate-bench-") : undefined);

// One worker computes at a time, while this process waits for it.
const ALONE = 1.3;

const PEERS = ["jose", "hono", "fast-jwt", "raw"];

/** The services of the validation part, each named after its contestant. */
async function validationServices(harness) {
  const services = [];
  for (const name of PEERS) {
    const node = name === "fast-jwt"; // made for Node
    services.push({
      name: serviceOf(name),
      modules: { "worker.js": await bundle(name, folder, { node }) },
      flags: node ? ["nodejs_compat"] : [],
    });
  }
  if (harness.folder) {
    const modules = { "main.js": await bundle("tollgate", folder), ...modulesOf(harness.folder, "worker.js", "build/") };
    services.push({ name: serviceOf("tollgate"), modules });
  }
  return services;
}

const service = async (name, bindings, flags) => ({ name, modules: { "worker.js": await bundle(name, folder) }, bindings, flags });

/** The services of the gateway part, the upstream first. */
async function gatewayPart(hasTollgate) {
  const origin = { ORIGIN: to.service("upstream") };
  const guard = { ...origin, ISSUER: to.service("tollgate"), GUARD: to.json({ issuer: ISSUER, audience: AUDIENCE, alg: "ES256", typ: TYP }) };
  return [
    await service("pass-through", origin),
    await service("header-writer", origin),
    // Their keys are the realm's.
    ...(hasTollgate ? [await service("jose-guard", guard), await service("hono-guard", guard)] : []),
  ];
}

/** The peer of the issuer part, and the key-value store that it has for itself. */
async function issuerPart() {
  const store = { name: "peer-kv", modules: { "worker.js": await bundle("kv", folder) }, socket: false };
  return [await service("floor"), await service("oauth-provider", { OAUTH_KV: to.kv("peer-kv") }, ["global_fetch_strictly_public"]), store];
}

async function main() {
  mkdirSync(folder, { recursive: true });
  const made = await keys(folder);
  const config = writeConfiguration("tollgate.json", configuration(made));
  const wanted = (part) => parts.includes(part);
  const build = (name, features, document = "tollgate.json") => buildWorker({ config: join(folder, document), out: join(folder, name), features, log: say });
  if (wanted("validation") && !values.harness) await build("harness", "harness");
  const needsGateway = wanted("gateway") || wanted("issuer");
  if (needsGateway && !values.gateway) await build("gateway", "");
  const hasMany = wanted("gateway") && !values.gateway;
  if (hasMany) {
    for (const [name, document] of Object.entries(manyRoutes(made))) writeConfiguration(name, document);
    await build(MANY, "", "many.json");
  }
  if (values.prepare) return;

  const wrk = needsGateway ? await ensureWrk(say) : undefined;
  const builds = findBuilds({
    harness: resolve(values.harness ?? join(folder, "harness")),
    gateway: resolve(values.gateway ?? join(folder, "gateway")),
  });
  const skipped = (part, { why }) => (wanted(part) && why ? [`tollgate is left out of the ${part} part: ${why}`] : []);
  const result = {
    date: new Date().toISOString(),
    machine: machine(),
    versions: versions({ wrk }),
    notes: [...skipped("validation", builds.harness), ...skipped("gateway", builds.gateway), ...skipped("issuer", builds.gateway)],
  };
  for (const note of result.notes) say(note);

  say("making tokens");
  const specs = {};
  for (const name of wanted("validation") ? Object.keys(CASES) : ["ES256"]) specs[name] = await specOf(name, made);

  const bootstrap = newBootstrap();
  const services = [
    ...(wanted("validation") ? await validationServices(builds.harness) : []),
    ...(needsGateway ? [await service("upstream")] : []),
    ...(wanted("gateway") ? await gatewayPart(Boolean(builds.gateway.folder)) : []),
    ...(needsGateway && builds.gateway.folder ? gatewayServices(builds.gateway.folder, await bundle("kv", folder), bootstrap, hasMany && join(folder, MANY)) : []),
    ...(wanted("issuer") ? await issuerPart() : []),
  ];
  say(`starting workerd with ${services.length} workers`);
  const memory = memoryFolder();
  const objects = memory && join(memory, "objects");
  if (!memory) result.notes.push("There is no /dev/shm here: tollgate's objects are on a disk, and the peers of the issuer part store in memory.");
  const server = await startWorkerd(services, folder, { objects });
  try {
    if (wanted("validation")) {
      const contestants = [...(builds.harness.folder ? ["tollgate"] : []), ...PEERS];
      const busy = watchCores();
      const measured = await measureValidation(server, contestants, specs, { config, rounds: rounds.validation, say });
      result.validation = { ...measured, contestants, rounds: rounds.validation, busyCores: busy() };
      result.notes.push(...measured.notes);
      if (result.validation.busyCores > ALONE) {
        result.notes.push(`Other programs ran beside the validation part: ${result.validation.busyCores} cores were busy instead of one. The numbers are worth less.`);
      }
    }
    if (wanted("gateway")) {
      const contestants = [
        { service: "upstream", guards: false },
        { service: "pass-through", guards: false },
        { service: "header-writer", guards: false },
        ...(builds.gateway.folder ? ["tollgate", ...(hasMany ? [MANY] : []), "jose-guard", "hono-guard"].map((service) => ({ service, guards: true })) : []),
      ];
      const tokens = builds.gateway.folder ? await tokensOfRealm(server, bootstrap) : [specs.ES256.repeated];
      const measured = await measureGateway(server, contestants, tokens, { rounds: rounds.gateway, seconds, say });
      result.gateway = { ...measured, rounds: rounds.gateway };
      result.notes.push(...measured.notes);
    }
    if (wanted("issuer") && builds.gateway.folder) {
      result.issuer = await measureIssuer(server, bootstrap, { rounds: rounds.issuer, seconds: count("seconds", values.quick ? 1 : 2), say });
    }
  } finally {
    await server.stop();
    if (memory) rmSync(memory, { recursive: true, force: true });
  }

  result.seconds = Math.round((Date.now() - started) / 1000);
  result.verdicts = verdicts(result);
  mkdirSync(dirname(json), { recursive: true });
  writeFileSync(json, `${JSON.stringify(result, undefined, 2)}\n`);
  process.stdout.write(`${report(result)}\nEvery number: ${relative(process.cwd(), json)}\n`);
  if (values.check && result.verdicts.some(({ holds }) => !holds)) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  fail(error.message);
}
