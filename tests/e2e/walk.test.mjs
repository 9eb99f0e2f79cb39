// One walk through the console in Chromium, as somebody new would take it, with curl as what they use the credential with.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual, promisify } from "node:util";
import { decodeJwt } from "jose";

import { launchChromium } from "../../tools/chromium.mjs";
import { endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { look } from "./support/pages.mjs";
import { remember, rememberToken } from "./support/secrets.mjs";

// management.json names them.
const PORT = 8805;
const GRAIN = 1000;
const IDLE = 30_000;
/** The most that a token may outlive what ended it (docs/guarantees.md), and what a machine that is busy takes to ask. */
const BOUND = 2 * GRAIN + 1000;

const server = await startInstance("walk", { port: PORT, config: "tests/e2e/management.json" });
const realm = server.realms.walk;
const { browser, close } = await launchChromium();
after(close);

const day = new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10);
const ADA = { login: "ada@example.com", password: remember("a password", "correct horse battery staple") };

/** What a shell prints that gets a command as people paste it. */
async function shell(command, variables = {}) {
  const { stdout } = await promisify(execFile)("sh", ["-c", command], { env: { PATH: process.env.PATH, ...variables } });
  return stdout;
}

/** The answer to a request for a token, form field by form field. */
async function tokenOf({ client_id, client_secret }) {
  const form = { grant_type: "client_credentials", client_id, client_secret };
  const fields = Object.keys(form).map((name) => `--data-urlencode "${name}=$${name}"`);
  const said = await shell(`curl -s -w '\\n%{http_code}' ${fields.join(" ")} '${realm}/OAuth/Token'`, form);
  const [body, status] = said.split(/\n(?=\d+$)/);
  return { status: Number(status), ...granted(body) };
}

function granted(body) {
  const answer = JSON.parse(body);
  if (answer.access_token) rememberToken(answer.access_token);
  return answer;
}

/** The status of a call of the example API through the gate. */
const call = async (TOKEN) => Number(await shell(`curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $TOKEN" '${server.url}/orders'`, { TOKEN }));

async function untilRefused(token) {
  const end = Date.now() + BOUND;
  for (;;) {
    const from = Date.now();
    if ((await call(token)) === 401) return;
    assert.ok(from < end, "still accepted");
    await sleep(50);
  }
}

/** A browser of somebody, at the console. */
async function open(path, { login, password }) {
  const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(error));
  await page.goto(`${realm}/console${path}`);
  assert.equal(await heading(page), "Sign in");
  await look(page, "walk-sign-in");
  await signIn(page, { login, password });
  return { context, page };
}

async function signIn(page, { login, password }) {
  await page.fill("[name=login]", login);
  await page.fill("[name=password]", password);
  await press(page, "Sign in");
  await page.waitForSelector("nav[aria-label=Console]");
  for (const { name, value } of await page.context().cookies(realm)) {
    if (name === "__Host-tollgate-console.walk") rememberToken(value);
    else remember("a cookie", value);
  }
}

const heading = (page) => page.textContent("h1");
const press = (page, name) => page.getByRole("button", { name, exact: true }).last().click();
const follow = (page, name) => page.getByRole("link", { name, exact: true }).click();
const facts = (page) => page.$$eval("main dl dt", (names) => Object.fromEntries(names.map((name) => [name.textContent, name.nextElementSibling.textContent])));
const rows = (page, table) => page.$$eval(`table[aria-label="${table}"] tbody tr`, (all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));

/** Loads the page anew until it says so: what a session was used for comes with its touches. */
async function untilSeen(page, read, wanted) {
  let seen;
  for (let tries = 0; tries < 40 && !isDeepStrictEqual(seen, wanted); tries += 1, await sleep(100)) {
    await page.reload();
    seen = await read();
  }
  assert.deepEqual(seen, wanted);
}

/** What the page shows of a secret that was just made: taken with the copy button, as the field has it. */
async function copied(page) {
  const client_secret = remember("a client secret", await page.inputValue("#client_secret"));
  await page.click("[data-copy=client_secret]");
  await page.waitForFunction(() => document.querySelector("[data-copy=client_secret] ~ [role=status]").textContent === "Copied.");
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), client_secret);
  return { client_id: await page.inputValue("#client_id"), client_secret };
}

test("somebody new makes a credential, uses it in two places, loses a role, takes other secrets, and deletes it", async () => {
  const { login, password } = await server.operators.admin("walk");
  const admin = await open("/people", { login, password: remember("a password", password) });

  // Whoever manages people takes her in.
  await follow(admin.page, "New person");
  for (const [name, value] of Object.entries({ ...ADA, name: "Ada Lovelace" })) await admin.page.fill(`[name=${name}]`, value);
  for (const role of ["agent", "builder"]) await admin.page.check(`[name="role:${role}"]`);
  await press(admin.page, "Take them in");
  await admin.page.waitForSelector("[role=status]");
  await look(admin.page, "walk-person");

  // She signs in, and makes a credential with a role of each kind.
  const { context, page } = await open("", ADA);
  await page.waitForURL("**/console/credentials");
  await look(page, "walk-credentials-none");
  await follow(page, "New credential");
  await page.fill("[name=name]", "Nightly sync");
  await page.fill("[name=expires]", day);
  await page.selectOption('[name="kind:operational"]', "agent");
  await page.selectOption('[name="kind:builder"]', "builder");
  await page.check('[name="scope:orders:read"]');
  await look(page, "walk-credential-new");
  await press(page, "Make it");
  assert.equal(await heading(page), "Nightly sync is made");
  const first = await copied(page);
  await look(page, "walk-credential-made");

  // The commands of the page are all that it takes.
  const here = granted(await shell(await page.inputValue("#curl-token"))).access_token;
  assert.deepEqual(decodeJwt(here).roles, ["agent", "builder"]);
  const said = await shell(await page.inputValue("#curl-call"), { TOKEN: here });
  assert.match(said, /^HTTP\/1\.1 200 /);
  assert.match(said, /"o-1001"/);

  // In a second place, with the file: two live sessions, which her pages show with the route that was called.
  const [download] = await Promise.all([page.waitForEvent("download"), press(page, "Download tollgate.env")]);
  const file = readFileSync(await download.path(), "utf8");
  await download.delete();
  const kept = Object.fromEntries([...file.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  assert.equal(kept.TOLLGATE_TOKEN_URL, `${realm}/OAuth/Token`);
  const second = await tokenOf({ client_id: kept.TOLLGATE_CLIENT_ID, client_secret: kept.TOLLGATE_CLIENT_SECRET });
  assert.equal(second.status, 200);
  const there = second.access_token;
  assert.equal(await call(there), 200);
  await follow(page, "I have it");
  const place = page.url();
  const used = async () => [(await facts(page))["Live sessions"], ...(await rows(page, "Calls")).map(([route, count]) => `${route} ${count}`)];
  await untilSeen(page, used, ["2", "orders 2"]);
  assert.ok(!(await page.content()).includes(first.client_secret));
  await follow(page, "Credentials");
  const [[name, , , , live, calls]] = await rows(page, "Credentials");
  assert.deepEqual([name, live, calls], ["Nightly sync", "2", "orders 2"]);
  await look(page, "walk-credentials");
  await follow(page, "Nightly sync");
  await look(page, "walk-credential-used");

  // Nobody uses it past the idle time: 401, and another token is one request away.
  await sleep(IDLE + 2 * GRAIN + 500);
  assert.deepEqual([await call(here), await call(there)], [401, 401]);
  const next = (await tokenOf(first)).access_token;
  assert.equal(await call(next), 200);

  // She may do less from now on: the token ends, and the next one lacks the role.
  await follow(admin.page, "People");
  await admin.page.fill("[name=search]", "ada@");
  await press(admin.page, "Search");
  await follow(admin.page, "Ada Lovelace");
  await admin.page.uncheck('[name="role:builder"]');
  await look(admin.page, "walk-person-role");
  assert.equal(await call(next), 200);
  await press(admin.page, "Save");
  await admin.page.waitForSelector("[role=status]");
  await untilRefused(next);
  assert.equal((await facts(admin.page)).Roles, "agent");
  await look(admin.page, "walk-person-saved");
  const less = (await tokenOf(first)).access_token;
  assert.deepEqual(decodeJwt(less).roles, ["agent"]);
  assert.equal(await call(less), 200);

  // Another secret. Her own sessions ended with the role.
  await page.goto(place);
  await look(page, "walk-role-lost");
  assert.equal(await heading(page), "Sign in");
  await signIn(page, ADA);
  assert.equal(page.url(), place);
  assert.equal((await facts(page)).Roles, "agent");
  await follow(page, "New secret");
  await look(page, "walk-secret-new");
  await page.selectOption("[name=overlap]", "3600");
  await press(page, "Make a new secret");
  assert.equal(await heading(page), "The new secret of Nightly sync");
  const overlapping = await copied(page);
  assert.notEqual(overlapping.client_secret, first.client_secret);
  await look(page, "walk-secret-made");
  assert.deepEqual([(await tokenOf(first)).status, (await tokenOf(overlapping)).status], [200, 200], "both count for an hour");
  await follow(page, "I have it");
  assert.deepEqual((await rows(page, "Secrets")).map(([, end]) => end === "there is another").sort(), [false, true], "one of them has an end");
  await look(page, "walk-secrets");

  // And one that ends what was before it at once.
  const opened = (await tokenOf(overlapping)).access_token;
  assert.equal(await call(opened), 200);
  await follow(page, "New secret");
  await page.selectOption("[name=overlap]", "0");
  await press(page, "Make a new secret");
  const third = await copied(page);
  assert.deepEqual([(await tokenOf(first)).status, (await tokenOf(overlapping)).status], [401, 401]);
  await untilRefused(opened);
  const last = (await tokenOf(third)).access_token;
  assert.equal(await call(last), 200);

  // Deleted, after being asked once: nothing of it counts any more.
  await follow(page, "I have it");
  await untilSeen(page, async () => (await facts(page))["Live sessions"], "1");
  await follow(page, "Delete");
  assert.equal(await heading(page), "Delete Nightly sync?");
  const breaks = await page.locator("main li").allTextContents();
  assert.deepEqual(breaks, ["1 live session ends.", "Calls to orders stop."]);
  await look(page, "walk-delete");
  assert.equal(await call(last), 200);
  await press(page, "Delete it");
  assert.equal(await page.textContent("[role=status]"), "Deleted.");
  assert.equal((await tokenOf(third)).status, 401);
  await untilRefused(last);
  await look(page, "walk-deleted");
  await follow(page, "Audit");
  await look(page, "walk-audit");
  await context.close();
  await admin.context.close();
});

endsWithoutLeaks();
