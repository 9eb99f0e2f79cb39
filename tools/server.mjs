// One local instance: the edge worker and the examples behind it, on the real runtime. For `make dev` and the end-to-end tests.
import { createServer } from "node:net";
import { rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { effectiveDocument } from "./effective.mjs";
import { releaseLock, takeLock } from "./lock.mjs";
import { startGroup } from "./process-group.mjs";
import { environment, local, node, read, root } from "./project.mjs";
import { operators } from "./operators.mjs";
import { seed } from "./seed.mjs";
import { makeFolder, secrets } from "./settings.mjs";
import { buildWorker } from "./worker.mjs";

const HOST = "127.0.0.1";
const READY_MS = 60_000;
// Everything local comes from one address, and a load test is no attack: wrangler.toml's limit is for strangers.
const TOKEN_LIMIT = 1_000_000;

/** Resolves when nobody listens on the port. */
export function portIsFree(port) {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error) => (error.code === "EADDRINUSE" ? resolve(false) : reject(error)));
    probe.listen({ port, host: HOST, exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** An example that is served where a route of the configuration goes there: the binding, its folder, its name. */
const MCP = { service: "MCP", folder: "mcp", name: "tollgate-example-mcp" };

/**
 * The project's wrangler.toml with this instance's own build and its own limit of token requests a minute; `watch` keeps the
 * command that compiles again on a change. `examples`: those that are served besides the one that stands there.
 */
function wranglerConfig({ folder, out, watch, bindings, tokenLimit, examples }) {
  const quote = JSON.stringify; // of a path, a TOML string
  let text = read("wrangler.toml").replace(/^main = .*$/m, () => `main = ${quote(join(out, "index.js"))}`);
  // wrangler takes watch_dir from the file's folder, also when it is absolute.
  const sources = relative(folder, join(root, "src"));
  // A build that failed leaves the last good one serving.
  const build = `[build]\ncommand = "node tools/build.mjs worker || true"\ncwd = ${quote(root)}\nwatch_dir = ${quote(sources)}\n\n`;
  text = text.replace(/^\[build\]\n(?:(?!\[).*\n)*/m, () => (watch ? build : ""));
  text = text.replace(/^(simple = \{ limit = )\d+/gm, (_, before) => `${before}${tokenLimit}`);
  for (const { service, name } of examples) text += `\n[[services]]\nbinding = ${quote(service)}\nservice = ${quote(name)}\n`;
  const path = join(folder, "wrangler.toml");
  writeFileSync(path, `${text}\n${bindings}`);
  return path;
}

function startWrangler({ port, folder, configs, vars, env, onOutput }) {
  const args = [
    local("wrangler"),
    "dev",
    ...configs.flatMap((path) => ["-c", path]),
    ...["--ip", HOST, "--port", String(port), "--inspector-port", "0"],
    ...["--persist-to", join(folder, "state"), "--env-file", vars],
    "--show-interactive-dev-session=false",
  ];
  const quiet = {
    // Nothing leaves this machine: no usage data, no look-up of versions, no sample request data.
    WRANGLER_SEND_METRICS: "false",
    WRANGLER_SEND_ERROR_REPORTS: "false",
    WRANGLER_HIDE_BANNER: "true",
    WRANGLER_NO_SKILLS_UPDATE_PROMPTS: "true",
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    // Its pages would show the stored data at /cdn-cgi/ of the served port.
    X_LOCAL_EXPLORER: "false",
    X_LOCAL_OBSERVABILITY: "false",
    // Instances side by side must not find each other's workers by name.
    WRANGLER_REGISTRY_PATH: join(folder, "registry"),
    WRANGLER_CACHE_DIR: join(folder, "cache"),
    MINIFLARE_CACHE_DIR: join(folder, "cache"),
    WRANGLER_LOG_PATH: join(folder, "logs"),
  };
  return startGroup(node(), args, { cwd: root, env: { ...env, ...quiet }, onOutput });
}

async function untilReady(url, group, signal) {
  const end = Date.now() + READY_MS;
  let last = "no answer";
  while (Date.now() < end) {
    if (signal?.aborted) throw new Error("interrupted");
    if (!group.isRunning()) throw new Error("wrangler ended before the worker answered: see its output above.");
    try {
      const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5000) });
      if (response.status === 200) return void (await response.arrayBuffer());
      last = `${response.status} ${(await response.text()).slice(0, 2000)}`;
    } catch {
      // not listening yet
    }
    await sleep(100);
  }
  throw new Error(`GET ${url}/healthz did not answer 200 within ${READY_MS / 1000} s. Last answer: ${last}`);
}

/** The process may be gone a moment before the system gives its port back. */
async function untilFree(port) {
  for (let tries = 0; tries < 200 && !(await portIsFree(port)); tries += 1) await sleep(10);
}

/** The worker with the configuration at the served port; and what that says about realms, scopes and routes. */
async function prepare({ config, port, folder, features, log, signal }) {
  const path = resolve(root, config);
  const source = effectiveDocument({ config: path, port });
  const out = join(folder, "build");
  await buildWorker({ document: source.document, out, features, log, signal });
  return { ...source, path, out };
}

/**
 * Builds, starts and seeds an instance; resolves when it answers.
 *
 * - `port`: loopback issuers of the configuration are moved to it.
 * - `config`: path of a configuration file.
 * - `devDir`: state, secrets, build and demo credentials live here; the same folder continues where it stopped.
 * - `log`: gets every piece of output; `output()` of the result has all of it.
 * - `watch`: compile again when src/ changes.
 * - `secrets`: more of the worker's secrets, by name.
 * - `features`: of the crate, for tests.
 * - `bindings`: more of them, as wrangler.toml has them.
 * - `tokenLimit`: token requests a minute for each address.
 * - `seedDemo`: register the demo client (`env` of the result).
 * - `signal`: an AbortSignal that gives up while starting.
 */
export async function startServer(options) {
  const { port = 8787, config = "tollgate.json", devDir = ".dev", log, watch = false, secrets: more, seedDemo = true, signal } = options;
  const { features, bindings = "", tokenLimit = TOKEN_LIMIT } = options;
  const folder = resolve(root, devDir);
  const url = `http://${HOST}:${port}`;
  const pieces = [];
  const onOutput = (text) => {
    pieces.push(text);
    log?.(text);
  };

  makeFolder(folder);
  const lock = join(folder, "lock");
  const other = await takeLock(lock);
  if (other !== undefined) throw new Error(`Process ${other} runs on ${folder} already. Stop it, or choose another folder with DEV_DIR=.`);
  let group;
  const ending = (end) => async () => {
    const code = await end();
    await untilFree(port);
    releaseLock(lock);
    return code;
  };
  try {
    if (!(await portIsFree(port))) {
      throw new Error(`Port ${port} is taken by another program. Stop that one, or choose another port: \`make dev PORT=${port + 1}\`.`);
    }
    const { realms, scopes, routes, roles, path, out } = await prepare({ config, port, folder, features, log: onOutput, signal });
    const { path: vars, values } = secrets(folder, more);
    rmSync(join(folder, ".wrangler"), { recursive: true, force: true }); // bundles of an instance that was killed
    const examples = [MCP].filter(({ service }) => routes.some((route) => route?.to?.service === service));
    const folders = ["upstream", ...examples.map((example) => example.folder)];
    const configs = [
      wranglerConfig({ folder, out, watch, bindings, tokenLimit, examples }),
      ...folders.map((name) => join(root, "examples", name, "wrangler.toml")),
    ];
    const env = environment({ TOLLGATE_CONFIG: path, TOLLGATE_OUT: out, TOLLGATE_PORT: String(port) });
    group = startWrangler({ port, folder, configs, vars, env, onOutput });
    await untilReady(url, group, signal);
    const theirs = operators({ url, folder, bootstrap: values.TOLLGATE_BOOTSTRAP_TOKEN });
    const demo = seedDemo ? await seed({ url, realms, scopes, routes, roles, operators: theirs, folder }) : undefined;
    return {
      url,
      folder,
      /** Issuers by realm. */
      realms,
      /** Of the realm that the demo client is in. */
      issuer: demo?.values.TOLLGATE_ISSUER ?? realms.test ?? Object.values(realms)[0],
      realm: demo?.realm,
      /** What `demo.env` says, and where it is. */
      env: demo?.values,
      demoFile: demo?.path,
      /** Whether the first admin is new: their password is shown once. */
      hasNewAdmin: demo?.isNew ?? false,
      bootstrapToken: values.TOLLGATE_BOOTSTRAP_TOKEN,
      /** Where the example MCP server is, where there is one. */
      mcp: examples.includes(MCP) ? routes.find((route) => route.to?.service === MCP.service).path : undefined,
      /** Who manages its realms. */
      operators: theirs,
      output: () => pieces.join(""),
      /** Leads the process group of everything that was started. */
      pid: group.pid,
      /** Resolves with wrangler's exit code. */
      ended: group.ended,
      /** Ends everything in good order. */
      stop: ending(group.stop),
      /** Ends everything at once, as a power cut would. */
      kill: ending(group.kill),
    };
  } catch (error) {
    await group?.stop();
    releaseLock(lock);
    throw error;
  }
}
