// The console in Chromium: signed in, looked at in light and dark, wide and on a phone, used with its script and without.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import { launchChromium } from "../../tools/chromium.mjs";
import { endsWithoutLeaks } from "./support/instance.mjs";
import { PASSWORD, ask, assertStatus, realmOf, startIssuer } from "./support/issuer.mjs";
import { look } from "./support/pages.mjs";
import { remember, rememberToken } from "./support/secrets.mjs";

const server = await startIssuer("console");
const app = realmOf(server, "app");
const { browser, close } = await launchChromium();
after(close);

const soon = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);

/** Somebody at the console of a realm, whose page it is that they asked for. */
async function signIn(user, path, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(error));
  // Chromium says so of every answer that is a refusal.
  page.on("console", (said) => assert.ok(said.type() !== "error" || said.text().startsWith("Failed to load resource"), said.text()));
  await page.goto(`${app.issuer}/console${path}`);
  await page.fill("[name=login]", user.login);
  await page.fill("[name=password]", PASSWORD);
  await press(page, "Sign in");
  await page.waitForSelector("nav[aria-label=Console]");
  for (const { name, value, secure, httpOnly, sameSite } of await context.cookies(app.issuer)) {
    if (name === "__Host-tollgate-console.app") rememberToken(value);
    else remember("a cookie", value);
    assert.ok(name.startsWith("__Host-tollgate") && secure && httpOnly && sameSite === "Lax", name);
  }
  return { context, page };
}

const heading = (page) => page.textContent("h1");
const press = (page, name) => page.getByRole("button", { name, exact: true }).last().click();
const follow = (page, name) => page.getByRole("link", { name, exact: true }).click();

test("somebody makes a credential, whose secret is shown once, and which gets tokens", async () => {
  const user = await app.user({ profile: { name: "Ada Lovelace" } });
  const { context, page } = await signIn(user, "/credentials?search=");
  assert.equal(await heading(page), "Credentials");
  await look(page, "console-credentials-none");
  await follow(page, "New credential");
  await page.fill("[name=name]", "Billing");
  await page.fill("[name=expires]", soon);
  await page.check('[name="scope:orders:read"]');
  await look(page, "console-credential-new");
  await press(page, "Make it");
  assert.equal(await heading(page), "Billing is made");
  const [client_id, client_secret] = [await page.inputValue("#client_id"), remember("a client secret", await page.inputValue("#client_secret"))];
  await look(page, "console-credential-made");
  const [download] = await Promise.all([page.waitForEvent("download"), press(page, "Download tollgate.env")]);
  assert.equal(download.suggestedFilename(), "tollgate.env");
  assert.ok(readFileSync(await download.path(), "utf8").includes(`TOLLGATE_CLIENT_SECRET=${client_secret}\n`));
  await download.delete();
  await page.click("[data-copy] >> nth=1");
  await page.waitForFunction(() => /^(Copied|Marked)/.test(document.querySelectorAll("[data-copy]")[1].parentElement.querySelector("[role=status]").textContent));
  const token = assertStatus(await ask(`${app.issuer}/OAuth/Token`, { form: { grant_type: "client_credentials", client_id, client_secret } }), 200);
  assertStatus(await ask(`${new URL(app.issuer).origin}/echo/app/x`, { method: "GET", bearer: token.access_token }), 200);
  await follow(page, "I have it");
  await look(page, "console-credential");
  assert.ok(!(await page.content()).includes(client_secret));
  await follow(page, "Credentials");
  await page.fill("[name=search]", "bill");
  assert.equal(await page.locator("tbody tr:visible").count(), 1);
  await page.fill("[name=search]", "nothing");
  assert.equal(await page.locator("tbody tr:visible").count(), 0, "filtered as it is typed");
  assert.match(await page.textContent("#filtered"), /Nothing on this page/);
  await page.fill("[name=search]", "");
  assert.deepEqual([await page.locator("tbody tr:visible").count(), await page.textContent("#filtered")], [1, ""]);
  // They see what they may use, and no more.
  assert.deepEqual(await page.locator("nav a").allTextContents(), ["Credentials", "Applications", "Sessions", "Audit"]);
  await page.goto(`${app.issuer}/console/credentials/${client_id}/delete`);
  await look(page, "console-credential-delete");
  await press(page, "Delete it");
  await page.waitForSelector("[role=status]");
  assert.equal((await ask(`${app.issuer}/OAuth/Token`, { form: { grant_type: "client_credentials", client_id, client_secret } })).status, 401);
  await context.close();
});

test("somebody who manages everything sees every page, and what two change at once is changed by the first", async () => {
  const user = await app.user({ internal_scopes: "platform:admin", profile: { name: "Grace Hopper" } });
  const { context, page } = await signIn(user, "");
  for (const way of ["Applications", "Approvals", "People", "Sessions", "Audit", "Keys"]) {
    await follow(page, way);
    assert.equal(await heading(page), way);
    assert.equal(await page.getAttribute(`nav >> text=${way}`, "aria-current"), "page");
    await look(page, `console-${way.toLowerCase()}`);
  }
  await page.goto(`${app.issuer}/console/applications/new`);
  await page.fill("[name=name]", "Shop <b>");
  await page.selectOption("[name=kind]", "public");
  await page.fill("[name=redirect_uris]", "https://shop.example/cb\nhttps://shop.example/other");
  await page.check('[name="scope:openid"]');
  await look(page, "console-application-new");
  await press(page, "Register it");
  assert.equal(await heading(page), "Shop <b> is registered");
  await follow(page, "I have it");
  await look(page, "console-application");
  const other = await context.newPage();
  await other.goto(page.url());
  await other.fill("[name=name]", "Shop of somebody else");
  await press(other, "Save");
  await other.waitForSelector("[role=status]");
  await page.fill("[name=name]", "Shop of mine");
  await press(page, "Save");
  assert.match(await page.textContent("[role=alert]"), /Somebody else has changed this/);
  assert.equal(await heading(page), "Shop of somebody else");
  assert.equal(await page.inputValue("[name=name]"), "Shop of mine");
  await look(page, "console-application-conflict");
  // Out: another page asks for a sign-in.
  await press(page, "Sign out");
  assert.equal(await heading(page), "Sign out?");
  await press(page, "Sign out");
  await page.goto(`${app.issuer}/console/people`);
  assert.equal(await heading(page), "Sign in");
  await context.close();
});

test("without JavaScript everything but copying works", async () => {
  const user = await app.user();
  const { context, page } = await signIn(user, "/credentials/new", { javaScriptEnabled: false });
  await page.fill("[name=name]", "Plain");
  await page.fill("[name=expires]", soon);
  await press(page, "Make it");
  assert.equal(await heading(page), "Plain is made");
  const secret = remember("a client secret", await page.inputValue("#client_secret"));
  assert.ok(secret.length > 20);
  assert.equal(await page.locator("[data-copy]:visible").count(), 0);
  await follow(page, "I have it");
  await follow(page, "Delete");
  await press(page, "Delete it");
  assert.equal(await page.textContent("[role=status]"), "Deleted.");
  await context.close();
});

endsWithoutLeaks();
