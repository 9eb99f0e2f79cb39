// Another configuration while the deployment runs: at once where it is put, elsewhere when an isolate looks, and after a restart.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { launchChromium } from "../../tools/chromium.mjs";
import { readDocument } from "../../tools/document.mjs";
import { local, node, root } from "../../tools/project.mjs";
import { endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { ask, assertStatus } from "./support/issuer.mjs";
import { look } from "./support/pages.mjs";
import { remember, rememberToken } from "./support/secrets.mjs";

// configuration.json names it.
const PORT = 8821;
const HERE = `http://127.0.0.1:${PORT}`;
const start = (options) => startInstance("configuration", { port: PORT, config: "tests/e2e/configuration.json", ...options });
let server = await start();

const deployed = readFileSync(join(root, "tests/e2e/configuration.json"), "utf8");
// The same API, with another path of it open; as people write it, and as it is put.
const commented = deployed.replace('"id": "health"', '// Open to everybody.\n "id": "orders"').replace('"/health"', '"/orders"');
writeFileSync(join(server.folder, "moved.json"), commented);
const moved = readDocument(join(server.folder, "moved.json")).text;
const api = async (method, path, { body, headers } = {}) =>
  ask(`${HERE}/test/api/v1/config${path}`, { method, bearer: await server.operators.token("test"), body, headers: { "content-type": "application/json", ...headers } });
const status = async (path) => (await fetch(`${HERE}${path}`)).status;

const open = async () => [await status("/health"), await status("/orders")];

test("a document that is put counts with the next request, and what was before it does not", async () => {
  assert.deepEqual(await open(), [200, 404]);
  assert.equal((await api("GET", "")).text, deployed);
  assert.equal(assertStatus(await api("PUT", "", { body: moved }), 200).version, 1);
  assert.deepEqual(await open(), [404, 200]);
  assert.equal((await api("GET", "")).text, moved);
});

test("a document that is not good changes nothing", async () => {
  const refused = await api("PUT", "", { body: moved.replace('"test": {', '"test": { "idle_secs": 5,') });
  assert.equal(refused.status, 422);
  assert.equal(refused.body.errors[0].path, "realms.test.idle_secs");
  assert.deepEqual(await open(), [404, 200]);
});

test("make config-put puts a file, and prints everything that is wrong with one", () => {
  const file = join(server.folder, "next.json");
  const put = (document) => {
    writeFileSync(file, document);
    // The folder has the operators that this run has made.
    const given = { DEV_DIR: server.folder, URL: HERE, REALM: "test", FILE: file };
    return spawnSync("make", ["-s", "config-put", ...Object.entries(given).map(([name, value]) => `${name}=${value}`)], { cwd: root, encoding: "utf8" });
  };
  const refused = put(commented.replaceAll('"methods"', '"method"'));
  assert.notEqual(refused.status, 0);
  const line = commented.slice(0, commented.indexOf('"methods"')).split("\n").length;
  assert.match(refused.stderr, new RegExp(`next\\.json:${line}:\\d+: routes\\[0\\]\\.method: unknown field \`method\``));
  const broken = put(commented.replace('"methods":', '"methods"'));
  assert.notEqual(broken.status, 0);
  assert.match(broken.stderr, new RegExp(`next\\.json:${line}:\\d+: a colon is missing`));
  const good = put(commented);
  assert.equal(good.status, 0, good.stderr);
  // It counts already: the same again is no other version.
  assert.match(good.stdout, /counts now, as version 1:/);
});

test("it counts after a restart, from the first request on", async () => {
  await server.stop();
  server = await start({ again: true });
  assert.deepEqual(await open(), [404, 200]);
  assertStatus(await api("GET", "/versions"), 200);
});

test("what was deployed comes back by putting it again, and so does the version after it", async () => {
  assertStatus(await api("PUT", "", { body: deployed }), 200);
  assert.deepEqual(await open(), [200, 404]);
  assertStatus(await api("POST", "/versions/1/restore", { body: "{}" }), 200);
  assert.deepEqual(await open(), [404, 200]);
});

test("somebody who manages it looks at a document, saves it and rolls it back, in Chromium", async () => {
  const { login, password } = await server.operators.admin("test");
  const { browser, close } = await launchChromium();
  try {
    const page = await (await browser.newContext()).newPage();
    page.on("pageerror", (error) => assert.fail(error));
    const press = (name) => page.getByRole("button", { name, exact: true }).click();
    const said = (role) => page.locator(`main [role=${role}]`).first().textContent();
    await page.goto(`${HERE}/test/console/configuration`);
    await page.fill("[name=login]", login);
    await page.fill("[name=password]", remember("a password", password));
    await press("Sign in");
    await page.waitForSelector("nav[aria-label=Console]");
    for (const { name, value } of await page.context().cookies(HERE)) {
      if (name === "__Host-tollgate-console.test") rememberToken(value);
      else remember("a cookie", value);
    }
    assert.equal(await page.inputValue("[name=document]"), moved);
    await look(page, "console-configuration");
    const wrong = deployed.replace('"anonymous": true', '"anonymus": true');
    await page.fill("[name=document]", wrong);
    await press("Only look whether it is good");
    assert.match(await page.textContent("main"), /routes\[0\]\.anonymus: /);
    assert.equal(await page.inputValue("[name=document]"), wrong, "what was typed stays");
    await look(page, "console-configuration-wrong");
    await press("Save");
    assert.match(await page.textContent("main"), /routes\[0\]\.anonymus: /);
    assert.deepEqual(await open(), [404, 200]);
    await page.fill("[name=document]", deployed);
    await press("Only look whether it is good");
    assert.match(await said("status"), /good/);
    assert.deepEqual(await open(), [404, 200], "looked at only");
    await press("Save");
    assert.match(await said("status"), /Saved/);
    assert.deepEqual(await open(), [200, 404]);
    // By another page meanwhile: nothing is lost, and nothing overwritten.
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.fill("[name=document]", `${deployed}\n`);
    await other.getByRole("button", { name: "Save", exact: true }).click();
    await other.waitForSelector("main [role=status]");
    await page.fill("[name=document]", moved);
    await press("Save");
    assert.match(await said("alert"), /Somebody else has changed this/);
    assert.equal(await page.inputValue("[name=document]"), moved);
    await look(page, "console-configuration-conflict");
    assert.deepEqual(await open(), [200, 404]);
    await page.goto(`${HERE}/test/console/configuration/1`);
    await look(page, "console-configuration-version");
    await press("Roll back to it");
    assert.match(await said("status"), /Saved/);
    assert.deepEqual(await open(), [404, 200]);
  } finally {
    await close();
  }
});

/** What an object somewhere else has written: another isolate's put, as this one comes to see it. */
function written(number, base, document) {
  const file = join(server.folder, "written.json");
  writeFileSync(file, JSON.stringify({ number, base: createHash("sha256").update(base).digest("base64url"), document }));
  const args = ["kv", "key", "put", "config:test", "--path", file, "--binding", "TOLLGATE_KV", "--local", "--persist-to", join(server.folder, "state")];
  execFileSync(node(), [local("wrangler"), ...args, "--config", join(server.folder, "wrangler.toml")], {
    cwd: root,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", WRANGLER_LOG_PATH: join(server.folder, "logs") },
  });
}

/** Asks until what is open is this, for as long as an isolate may take, and a little more. */
async function untilOpen(want) {
  for (const end = Date.now() + 40_000; Date.now() < end; await sleep(500)) {
    if ((await open()).join() === want.join()) return;
  }
  assert.deepEqual(await open(), want);
}

test("what is put elsewhere counts here when this isolate looks; and never what is older", async () => {
  written(2, deployed, deployed);
  await sleep(31_000);
  assert.deepEqual(await open(), [404, 200], "version 3 counts here already");
  written(99, deployed, deployed);
  await untilOpen([200, 404]);
});

test("what was put over another document than the one deployed does not count", async () => {
  await server.stop();
  written(100, `${deployed} `, moved);
  server = await start({ again: true });
  assert.deepEqual(await open(), [200, 404]);
});

test("a document that was put and that this worker cannot read is 503 from a first request on, and not what was deployed", async () => {
  await server.stop();
  written(101, deployed, "{}x");
  const enough = new AbortController();
  const starting = assert.rejects(start({ again: true, signal: enough.signal }), /interrupted/);
  let seen;
  for (const end = Date.now() + 30_000; seen === undefined && Date.now() < end; await sleep(200)) {
    seen = await status("/health").catch(() => undefined);
  }
  enough.abort();
  await starting;
  assert.equal(seen, 503);
});

endsWithoutLeaks();
