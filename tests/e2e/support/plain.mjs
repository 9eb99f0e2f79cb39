// tollgate in plain workerd, without the server that `wrangler dev` puts in front: what is sent is what it gets, on a port that
// the system chooses. All that it fetches goes to one server; what stands behind the binding ORIGIN is the example API.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { randomBytes } from "node:crypto";

import { gatewayServices, newBootstrap } from "../../../bench/lib/tollgate.mjs";
import { startWorkerd, to } from "../../../bench/lib/workerd.mjs";
import { operators } from "../../../tools/operators.mjs";
import { root } from "../../../tools/project.mjs";
import { buildWorker } from "../../../tools/worker.mjs";
import { assertNothingSeen, openKeyrings, remember } from "./secrets.mjs";

const OBJECTS = ["PRINCIPAL", "KEYRING", "DIRECTORY"];
const classOf = (name) => `${name[0]}${name.slice(1).toLowerCase()}Do`;
const here = (name) => join(root, "tests", "e2e", "support", name);

/** Listens on a port of its own until the file is through. */
export async function listening(server) {
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  after(() => {
    server.close();
    server.closeAllConnections?.();
  });
  return server.address().port;
}

/** Another isolate of the same deployment: a service of its own with the same code, secrets, objects and KV. */
function another(gate, name) {
  const bindings = { ...gate.bindings };
  for (const object of OBJECTS) bindings[object] = `durableObjectNamespace = ( className = "${classOf(object)}", serviceName = "${gate.name}" )`;
  return { ...gate, name, bindings, durableObjects: [] };
}

/**
 * Starts tollgate with `config`. `fetches` is the port of the server that gets all that is fetched; `isolates` are names of more
 * isolates; `v8Flags` are the engine's; `seen` is told of every request that reaches the example API, before it is answered.
 */
export async function startPlain(name, { config, fetches, isolates = [], features, v8Flags, seen = () => {} }) {
  const folder = join(root, `.dev-e2e-${name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const build = join(folder, "build");
  await buildWorker({ config: join(root, config), out: build, features, log: (text) => text.startsWith("building ") && process.stderr.write(text) });
  const notes = await listening(
    createServer((request, response) => {
      let text = "";
      request.setEncoding("utf8").on("data", (piece) => (text += piece));
      request.on("end", () => {
        seen(JSON.parse(text));
        response.end();
      });
    }),
  );
  const bootstrap = remember("the bootstrap token", newBootstrap());
  const kek = remember("the key-encryption key", randomBytes(32).toString("base64url"));
  const [gate, kv] = gatewayServices(build, join(root, "bench", "workers", "kv.mjs"), bootstrap);
  gate.bindings.TOLLGATE_KEK = to.text(kek);
  gate.fetches = "elsewhere";
  const server = await startWorkerd(
    [
      gate,
      ...isolates.map((name) => another(gate, name)),
      kv,
      {
        name: "upstream",
        modules: { "worker.js": here("noting-worker.mjs"), "example.js": join(root, "examples", "upstream", "worker.js") },
        bindings: { NOTES: to.service("notes") },
        socket: false,
      },
      { name: "notes", address: `127.0.0.1:${notes}` },
      { name: "elsewhere", address: `127.0.0.1:${fetches}` },
    ],
    folder,
    { objects: join(folder, "state"), v8Flags },
  );
  after(() => server.stop());
  const url = server.url("tollgate", "");
  const { realms } = JSON.parse(readFileSync(join(root, config), "utf8"));
  return {
    url,
    port: Number(new URL(url).port),
    /** Where another isolate is reached. */
    portOf: (isolate) => Number(new URL(server.url(isolate, "/")).port),
    pid: server.pid,
    /** Where each realm is reached; its issuer names another port. */
    realms: Object.fromEntries(Object.keys(realms).map((name) => [name, `${url}/${name}`])),
    issuers: Object.fromEntries(Object.entries(realms).map(([name, { issuer }]) => [name, issuer])),
    operators: operators({ url, folder, bootstrap }),
    bootstrapToken: bootstrap,
    /** The last test of a file: stops it, and searches what it printed and stored. */
    endsWithoutLeaks() {
      test("nothing printed and nothing stored holds a secret, a token or a private key", async () => {
        await server.stop();
        openKeyrings(folder, kek, Object.keys(realms));
        assertNothingSeen({ printed: readFileSync(join(folder, "workerd.log"), "utf8"), state: join(folder, "state") });
      });
    },
  };
}
