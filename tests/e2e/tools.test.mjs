// What surrounds the worker: what its build exposes, registration from the command line, a configuration that is wrong.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { readDocument } from "../../tools/document.mjs";
import { effectiveDocument } from "../../tools/effective.mjs";
import { startGroup } from "../../tools/process-group.mjs";
import { environment, local, node, root } from "../../tools/project.mjs";
import { seed } from "../../tools/seed.mjs";
import { readAssignments } from "../../tools/settings.mjs";
import { buildWorker } from "../../tools/worker.mjs";
import { accessToken, assertPassed, call, discover, grant, register } from "./support/client.mjs";
import { PORT, URL_HERE, endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { remember } from "./support/secrets.mjs";

const server = await startInstance("tools");
await accessToken(await register(server, "test"));

const folder = mkdtempSync(join(tmpdir(), "tollgate-e2e-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a program to its end. */
function run(program, args, extra) {
  const env = environment(extra);
  // Under `make test` this make is nobody's child.
  for (const name of ["MAKEFLAGS", "MFLAGS", "MAKELEVEL"]) delete env[name];
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    const pieces = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) child[name].setEncoding("utf8").on("data", (text) => (pieces[name] += text));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...pieces }));
  });
}

test("nothing but fetch can be called on the worker, and one method on its objects: what WebAssembly exports is not reachable over RPC", async () => {
  const probe = join(folder, "probe");
  mkdirSync(probe);
  for (const name of readdirSync(join(server.folder, "build"))) copyFileSync(join(server.folder, "build", name), join(probe, name));
  const [date] = /^compatibility_date = .*$/m.exec(readFileSync(join(root, "wrangler.toml"), "utf8"));
  writeFileSync(join(probe, "wrangler.toml"), `name = "probe"\nmain = "probe.js"\n${date}\n`);
  // Imported, not read as text: what counts is what the runtime sees.
  writeFileSync(
    join(probe, "probe.js"),
    `import * as worker from "./index.js";
     const members = (made) => Object.getOwnPropertyNames(made.prototype ?? made).filter((name) => name !== "constructor").sort();
     export default { fetch: () => Response.json(Object.fromEntries(Object.entries(worker).map(([name, made]) => [name, members(made)]))) };`,
  );
  const port = String(PORT + 7);
  let output = "";
  const env = environment({ WRANGLER_SEND_METRICS: "false", WRANGLER_LOG: "warn", WRANGLER_LOG_PATH: probe, WRANGLER_REGISTRY_PATH: probe });
  const args = [local("wrangler"), "dev", "-c", join(probe, "wrangler.toml"), "--ip", "127.0.0.1", "--port", port, "--inspector-port", "0"];
  const group = startGroup(node(), [...args, "--show-interactive-dev-session=false"], { cwd: probe, env, onOutput: (text) => (output += text) });
  try {
    let response;
    for (const end = Date.now() + 30_000; !response?.ok && Date.now() < end && group.isRunning(); ) {
      response = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(5000) }).catch(() => sleep(100));
    }
    assert.ok(response?.ok, output);
    const exposed = await response.json();
    assert.deepEqual(exposed.default, ["fetch"]);
    assert.deepEqual(Object.keys(exposed).sort(), ["DirectoryDo", "KeyringDo", "PrincipalDo", "default"]);
    const handlers = (name) => exposed[name].filter((member) => !["__destroy_into_raw", "free"].includes(member));
    assert.deepEqual(handlers("DirectoryDo"), ["alarm", "ask"]);
    assert.deepEqual(handlers("KeyringDo"), ["alarm", "ask"]);
    assert.deepEqual(handlers("PrincipalDo"), ["alarm", "ask"]);
  } finally {
    await group.stop();
  }
});

test("make client registers a client that works, and shows its secret once", async () => {
  const given = { REALM: "test", NAME: "mine & 'yours'", SCOPES: "orders:read customers:read", GRANTS: "client_credentials refresh_token" };
  const { code, stdout, stderr } = await run("make", ["client"], { ...given, URL: URL_HERE, DEV_DIR: server.folder });
  const [, id] = /client_id +(\S+)/.exec(stdout) ?? [];
  const [, secret] = /client_secret +(\S+)/.exec(stdout) ?? [];
  assert.ok(code === 0 && id && secret, stderr);
  remember("a client secret", secret);
  assert.match(stdout, /Registered `mine & 'yours'` in realm `test` with the scope `customers:read orders:read`/);
  assert.equal(stdout.split(secret).length, 2);
  const client = { client_id: id, client_secret: secret, as: await discover(server.realms.test) };
  const answer = await grant(client);
  assert.ok(answer.refresh_token);
  assertPassed(await call(answer.access_token, `${URL_HERE}/customers`));
});

test("make client says what is wrong, and how to mend it", async () => {
  const good = { REALM: "test", NAME: "x", SCOPES: "orders:read", URL: URL_HERE, DEV_DIR: server.folder };
  for (const [change, says] of [
    [{ SCOPES: "" }, /SCOPES is missing/],
    [{ NAME: "" }, /NAME is missing/],
    [{ REALM: "nobody" }, /`nobody` is no realm/],
    [{ SCOPES: "unheard-of" }, /scope holds a name that the configuration does not have/],
    [{ GRANTS: "password" }, /grant_types/],
    [{ TOLLGATE_TOKEN: "wrong" }, /TOLLGATE_TOKEN/],
    [{ URL: "https://gate.example.com" }, /Set TOLLGATE_TOKEN/],
    [{ URL: "http://127.0.0.1:8793" }, /No answer from http:\/\/127\.0\.0\.1:8793/],
    [{ DEV_DIR: join(folder, "none") }, /no bootstrap token/],
  ]) {
    const { code, stdout, stderr } = await run(node(), ["tools/manage.mjs", "client"], { ...good, ...change });
    assert.notEqual(code, 0);
    assert.match(stderr, says);
    assert.equal(stdout, "");
  }
});

test("a configuration with an unknown member fails the start, with its JSON path and a mend", async () => {
  const config = JSON.parse(readFileSync(new URL("tollgate.json", import.meta.url), "utf8"));
  config.routes[1].colour = "red";
  const path = join(folder, "bad.json");
  writeFileSync(path, JSON.stringify(config));
  const { code, stdout, stderr } = await run(node(), ["tools/dev.mjs"], { CONFIG: path, PORT: String(PORT + 8), DEV_DIR: join(folder, "bad") });
  assert.notEqual(code, 0);
  const output = stdout + stderr;
  assert.match(output, /routes\[1\]\.colour: unknown field `colour`/);
  assert.match(output, /remove it, or correct its spelling/);
  assert.doesNotMatch(output, /panicked|at .*\.mjs:\d+/, "a sentence, not a trace");
});

test("a build follows every file of its configuration, and stays what it was where one of them is not good", async () => {
  const sources = join(folder, "divided");
  mkdirSync(join(sources, "routes"), { recursive: true });
  const open = (id) => `// Open.\n{ "routes": [{ "id": "${id}", "use": "open", "path": "/${id}" }] }`;
  writeFileSync(join(sources, "tollgate.json"), `{ "includes": ["routes/*.json"], "blocks": { "open": { "methods": ["GET"], "anonymous": true, "to": { "service": "ORIGIN" } } } }`);
  writeFileSync(join(sources, "routes", "a.json"), open("one"));
  const out = join(folder, "divided-build");
  let said = "";
  const build = () => buildWorker({ config: join(sources, "tollgate.json"), out, log: (text) => (said += text) });
  // wrangler imports it, and so does this: what is passed on is the document.
  const built = async () => JSON.parse((await import(`${join(out, "configuration.js")}?${Math.random()}`)).configuration);
  const stamp = () => readFileSync(join(out, ".tollgate-build"), "utf8");
  await build();
  assert.deepEqual(await built(), { routes: [{ id: "one", methods: ["GET"], anonymous: true, to: { service: "ORIGIN" }, path: "/one" }] });
  const first = stamp();
  await build();
  assert.equal(stamp(), first);
  writeFileSync(join(sources, "routes", "a.json"), open("two"));
  await build();
  assert.equal((await built()).routes[0].id, "two");
  assert.notEqual(stamp(), first);
  writeFileSync(join(sources, "routes", "b.json"), open("three"));
  await build();
  assert.deepEqual((await built()).routes.map(({ id }) => id), ["two", "three"]);
  const good = stamp();
  writeFileSync(join(sources, "routes", "b.json"), open("three").replace(" }] }", ' ] }'));
  await assert.rejects(build(), /b\.json:2:\d+: a comma is missing before this/);
  writeFileSync(join(sources, "routes", "b.json"), open("three").replace('"path"', '"pat"'));
  await assert.rejects(build(), /the reason is above/);
  assert.match(said, /error: .*b\.json:2:\d+: routes\[1\]\.pat: unknown field `pat`/);
  assert.equal(stamp(), good);
});

test("demo.env leads to a route that the demo client may call, whatever the configuration", async () => {
  const calls = async (config) => {
    const demo = mkdtempSync(join(folder, "demo-"));
    const { realms, scopes, routes } = effectiveDocument({ config, port: PORT });
    assert.equal(realms.test, server.realms.test);
    const { path } = await seed({ url: URL_HERE, realms, scopes, routes, roles: [], operators: server.operators, folder: demo });
    const { TOLLGATE_CLIENT_ID: client_id, TOLLGATE_CLIENT_SECRET: client_secret, TOLLGATE_API: api, TOLLGATE_ISSUER: issuer } = readAssignments(path);
    remember("the demo client's secret", client_secret);
    assertPassed(await call(await accessToken({ client_id, client_secret, as: await discover(issuer) }), api));
    return api.slice(URL_HERE.length);
  };
  assert.equal(await calls(join(root, "examples/short-idle.json")), "/orders");
  assert.equal(await calls(join(root, "tests/e2e/tollgate.json")), "/orders");
  // Without a scope to call with, what is open; a pattern, another method or another host is nothing to paste.
  const bare = JSON.parse(readFileSync(new URL("tollgate.json", import.meta.url), "utf8"));
  bare.routes = bare.routes.filter(({ id }) => ["orders-create", "orders-read", "locations-list", "pairs", "health"].includes(id));
  const path = join(folder, "bare.json");
  writeFileSync(path, JSON.stringify(bare));
  assert.equal(await calls(path), "/health");
});

test("a configuration that contradicts itself fails the start, and says everything that is wrong with it", async () => {
  const config = JSON.parse(readFileSync(new URL("tollgate.json", import.meta.url), "utf8"));
  config.realms.test.issuer = "http://example.com/test";
  config.routes[0].require.scopes = ["unheard-of"];
  delete config.routes[2].require.issuers;
  config.routes[3].methods = ["GET", "HEAD", "GET"];
  config.routes[4].path = "/.well-known/oauth-authorization-server/test";
  config.routes[5].host = "api..example.com";
  const path = join(folder, "contradiction.json");
  writeFileSync(path, JSON.stringify(config));
  const { code, stdout, stderr } = await run(node(), ["tools/dev.mjs"], { CONFIG: path, PORT: String(PORT + 8), DEV_DIR: join(folder, "bad") });
  assert.notEqual(code, 0);
  for (const says of [
    /realms\.test\.issuer: is plain http/,
    /routes\[0\]\.require\.scopes\[0\]: there is no scope `unheard-of`/,
    /routes\[2\]\.require\.issuers: there are several realms/,
    /routes\[3\]\.methods\[2\]: is listed already/,
    /routes\[4\]\.path: is a realm's metadata/,
    /routes\[5\]\.host: not a well-formed host/,
  ]) {
    assert.match(stdout + stderr, says);
  }
});

test("make policy-check says what is questionable, runs the tests, and fails where one does", async () => {
  const good = await run("make", ["-s", "policy-check"], {});
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /^\d+ tests; 0 errors, 0 warnings$/m);
  const config = JSON.parse(readDocument(join(root, "tollgate.json")).text);
  config.routes.find(({ id }) => id === "customers-read").fields["customers:identify"].push("email");
  const path = join(folder, "leaks.json");
  writeFileSync(path, JSON.stringify(config));
  const bad = await run("make", ["-s", "policy-check"], { CONFIG: path });
  assert.notEqual(bad.code, 0);
  assert.match(bad.stdout, /^error: routes\[4\]\.tests\[1\] \(customers-read\): sees `email`, `id`, `name`; and should see `id`, `name` \[test\]$/m);
});

test("what is deployed has no tests in it, and is the text that stands there else", async () => {
  const out = join(folder, "deployed");
  const { text } = readDocument(join(root, "tollgate.json"));
  await buildWorker({ config: join(root, "tollgate.json"), out });
  const { configuration } = await import(join(out, "configuration.js"));
  assert.ok(text.includes('"tests"') && !configuration.includes('"tests"'));
  const whole = JSON.parse(text);
  delete whole.tests;
  for (const route of whole.routes) delete route.tests;
  assert.deepEqual(JSON.parse(configuration), whole);
});

test("make explain says why, by the keys of the running instance, and never shows the token", async () => {
  const token = await accessToken(await register(server, "test", { scope: "orders:read" }));
  const explain = async (url, TOKEN, more = {}) => {
    const { code, stdout, stderr } = await run("make", ["-s", "explain"], { CONFIG: "tests/e2e/tollgate.json", URL: url, TOKEN, JSON: "1", ...more });
    assert.equal(code, 0, stderr);
    for (const part of [TOKEN, TOKEN.split(".")[2]]) assert.ok(!stdout.includes(part) && !stderr.includes(part));
    return JSON.parse(stdout);
  };
  const passes = await explain(`${URL_HERE}/orders`, token);
  assert.deepEqual([passes.decision, passes.route.id, passes.assumed], ["pass", "orders-list", ["session"]]);
  assertPassed(await call(token, `${URL_HERE}/orders`));

  const refused = await explain(`${URL_HERE}/customers`, token);
  const answer = await fetch(`${URL_HERE}/customers`, { headers: { authorization: `Bearer ${token}` } });
  assert.deepEqual([refused.decision, refused.reason], ["refuse", "lack_scope"]);
  assert.deepEqual([refused.answer.status, refused.answer.www_authenticate], [answer.status, answer.headers.get("www-authenticate")]);
  assert.equal(refused.answer.body, await answer.text());

  const [header, claims, signature] = token.split(".");
  const forged = [header, claims, `${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`].join(".");
  assert.equal((await explain(`${URL_HERE}/orders`, forged)).reason, "reject_signature");
  const unchecked = await explain(`${URL_HERE}/orders`, forged, { OFFLINE: "1" });
  assert.deepEqual([unchecked.decision, unchecked.assumed], ["pass", ["session", "signature"]]);

  const { code, stderr } = await run("make", ["-s", "explain"], { TOKEN: token });
  assert.notEqual(code, 0);
  assert.match(stderr, /URL is missing/);
});

endsWithoutLeaks();
