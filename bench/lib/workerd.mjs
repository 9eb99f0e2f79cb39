// One workerd process that runs every service of a run.
import { request as httpRequest, Agent } from "node:http";
import { builtinModules } from "node:module";
import { createServer } from "node:net";
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { build } from "esbuild";
import workerd from "workerd";

import { startGroup } from "../../tools/process-group.mjs";
import { environment, read, root } from "../../tools/project.mjs";

const HOST = "127.0.0.1";
const READY_MS = 30_000;

// The service that keeps Durable Objects, and its folder. In memory they have no SQL.
const OBJECTS = "objects";

const quote = JSON.stringify; // a text of Cap'n Proto is quoted as JSON is

/** Ports that nobody listens on, all different. */
async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      return new Promise((resolve, reject) => {
        const server = createServer();
        server.once("error", reject);
        server.listen({ port: 0, host: HOST, exclusive: true }, () => resolve(server));
      });
    }),
  );
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

// What a CommonJS package requires of Node is asked of the runtime.
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire("/worker.js");';

/**
 * Bundles one worker of bench/workers with the packages that it uses. What begins with ./build/ comes beside it as it is.
 * `node` is for packages that need Node's own modules.
 */
export async function bundle(name, folder, { node = false } = {}) {
  const outfile = join(folder, `${name}.js`);
  await build({
    entryPoints: [join(root, "bench", "workers", `${name}.mjs`)],
    outfile,
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "es2024",
    mainFields: ["module", "main"],
    // jose and hono have their own code for this runtime.
    conditions: ["workerd", "worker", "browser", "import"],
    external: ["./build/*", "cloudflare:*", "node:*", ...(node ? builtinModules : [])],
    banner: node ? { js: REQUIRE } : {},
    logLevel: "error",
  });
  return outfile;
}

const compatibilityDate = () => /^compatibility_date = "([^"]+)"/m.exec(read("wrangler.toml"))[1];

const kindOf = (file) => (file.endsWith(".wasm") ? "wasm" : "esModule");

const outbound = (name, service) => (service ? `  ${name} = ${quote(service)},\n` : "");

const list = (items) => (items.length === 0 ? "[]" : `[\n    ${items.join(",\n    ")}\n  ]`);

/**
 * One service: `modules` are `{ name: path }`, the first is the main one; `bindings` are `{ name: what }`, see `to`.
 * `fetches` and `caches` name the services that get what it fetches and what it asks of the Cache API; `cfHeader` the header that its socket makes `request.cf` of.
 */
function workerText(service, folder) {
  const modules = Object.entries(service.modules).map(
    ([name, path]) => `( name = ${quote(name)}, ${kindOf(path)} = embed ${quote(relative(folder, path))} )`,
  );
  const bindings = Object.entries(service.bindings ?? {}).map(([name, value]) => `( name = ${quote(name)}, ${value} )`);
  const objects = (service.durableObjects ?? []).map(
    (name) => `( className = ${quote(name)}, uniqueKey = ${quote(`bench-${name}`)}, enableSql = true )`,
  );
  return `const ${service.id} :Workerd.Worker = (
  modules = ${list(modules)},
  compatibilityDate = ${quote(compatibilityDate())},
  compatibilityFlags = ${list((service.flags ?? []).map(quote))},
  bindings = ${list(bindings)},
${outbound("globalOutbound", service.fetches)}${outbound("cacheApiOutbound", service.caches)}  durableObjectNamespaces = ${list(objects)}${objects.length > 0 ? `,\n  durableObjectStorage = ( localDisk = ${quote(OBJECTS)} )` : ""}
);
`;
}

/** What a binding is, in the words of the configuration. */
export const to = {
  service: (name) => `service = ${quote(name)}`,
  kv: (name) => `kvNamespace = ${quote(name)}`,
  durableObject: (className) => `durableObjectNamespace = ${quote(className)}`,
  durableObjectOf: (service, className) => `durableObjectNamespace = ( className = ${quote(className)}, serviceName = ${quote(service)} )`,
  text: (text) => `text = ${quote(text)}`,
  json: (value) => `json = ${quote(JSON.stringify(value))}`,
};

/** The files of a build as modules below `prefix`, the main one first. */
export function modulesOf(folder, main, prefix = "") {
  const names = readdirSync(folder).filter((name) => /\.(js|wasm)$/.test(name) && statSync(join(folder, name)).isFile());
  const sorted = [main, ...names.filter((name) => name !== main)];
  return Object.fromEntries(sorted.map((name) => [`${prefix}${name}`, join(folder, name)]));
}

/** A service is a worker, or with `address` a server that was started elsewhere. */
const serviceText = ({ name, id, address }) =>
  `( name = ${quote(name)}, ${address ? `external = ( address = ${quote(address)}, http = () )` : `worker = .${id}`} )`;

function configText(services, ports, folder, { objects, v8Flags }) {
  const sockets = services.flatMap(({ name, address, socket = !address, cfHeader }) => {
    const http = cfHeader ? `( cfBlobHeader = ${quote(cfHeader)} )` : "()";
    return socket ? [`( name = ${quote(name)}, address = ${quote(`${HOST}:${ports.get(name)}`)}, http = ${http}, service = ${quote(name)} )`] : [];
  });
  return `# Written by bench/run.mjs.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = ${list([
    ...services.map(serviceText),
    `( name = ${quote(OBJECTS)}, disk = ( path = ${quote(objects)}, writable = true ) )`,
  ])},
  sockets = ${list(sockets)},
  v8Flags = ${list(v8Flags.map(quote))}
);

${services.filter(({ address }) => !address).map((service) => workerText(service, folder)).join("\n")}`;
}

const identifier = (name) => `w${name.split("-").map((part) => part[0].toUpperCase() + part.slice(1)).join("")}`;

/** Sends one request over a kept connection and resolves with its status, its text and how long it took. */
function send(agent, port, method, path, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const length = method === "GET" ? {} : { "content-length": Buffer.byteLength(body ?? "") };
    const start = performance.now();
    const request = httpRequest({ agent, host: HOST, port, method, path, headers: { ...headers, ...length } });
    request.once("error", reject);
    request.once("response", (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (piece) => (text += piece));
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode, text, ms: performance.now() - start }));
    });
    request.end(body);
  });
}

/** Starts workerd with these services. Durable Objects are stored in `objects`; `v8Flags` are the engine's. */
export async function startWorkerd(given, folder, { objects = join(folder, OBJECTS), v8Flags = [] } = {}) {
  // What an earlier run stored nobody can read: it had other secrets.
  rmSync(objects, { recursive: true, force: true });
  mkdirSync(objects, { recursive: true });
  const services = given.map((service) => ({ ...service, id: identifier(service.name) }));
  const open = services.filter(({ address, socket = !address }) => socket);
  const free = await freePorts(open.length);
  const ports = new Map(open.map(({ name }, index) => [name, free[index]]));
  const path = join(folder, "config.capnp");
  writeFileSync(path, configText(services, ports, folder, { objects, v8Flags }));

  // Into a file: whoever reads a pipe takes time from what is measured, and tollgate logs every request.
  const log = join(folder, "workerd.log");
  const output = openSync(log, "w");
  const trouble = []; // workerd could not even be started
  const printed = () => `${trouble.join("")}${readFileSync(log, "utf8")}`.slice(0, 20_000).trimEnd();
  // The program itself, not the script in node_modules/.bin that starts it.
  const group = startGroup(workerd.default, ["serve", path], {
    cwd: folder,
    env: environment(),
    output,
    onOutput: (text) => trouble.push(text),
  });
  closeSync(output);
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ask = async (name, method, target, options) => {
    try {
      return await send(agent, ports.get(name), method, target, options);
    } catch (error) {
      if (!group.isRunning()) throw new Error(`workerd ended:\n${printed()}`);
      throw new Error(`${name}: ${error.message}`);
    }
  };

  const end = Date.now() + READY_MS;
  for (const { name } of open) {
    for (;;) {
      if (!group.isRunning()) throw new Error(`workerd did not start:\n${printed()}`);
      if (Date.now() > end) {
        await group.stop();
        throw new Error(`workerd did not answer for ${name} within ${READY_MS / 1000} s:\n${printed()}`);
      }
      try {
        await send(agent, ports.get(name), "GET", "/");
        break;
      } catch {
        await sleep(50);
      }
    }
  }

  return {
    ask,
    pid: group.pid,
    /** What workerd has printed. */
    output: printed,
    url: (name, target) => `http://${HOST}:${ports.get(name)}${target}`,
    async stop() {
      agent.destroy();
      await group.stop();
    },
  };
}
