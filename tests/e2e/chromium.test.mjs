// The pages in Chromium, as people use them: by keyboard only, in light and dark, wide and on a phone. Screenshots go to
// target/screenshots, to be looked at.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { launchChromium } from "../../tools/chromium.mjs";
import { endsWithoutLeaks } from "./support/instance.mjs";
import { PASSWORD, realmOf, startIssuer } from "./support/issuer.mjs";
import { remember } from "./support/secrets.mjs";
import { look, tabTo, type } from "./support/pages.mjs";
import { startPost } from "./support/post.mjs";
import { startSpa } from "./support/spa.mjs";

const server = await startIssuer("chromium");
const app = realmOf(server, "app");
const spa = await startSpa(8813);
const post = await startPost();
const { browser, close } = await launchChromium();
after(async () => {
  await close();
  spa.stop();
  post.stop();
});

const client = await app.client({
  client_name: "Shop",
  grant_types: ["authorization_code", "refresh_token"],
  redirect_uris: [spa.redirect],
  token_endpoint_auth_method: "none",
  scope: "openid profile email orders:read",
});
spa.use({ authority: app.issuer, client_id: client.client_id, loadUserInfo: true, scope: "openid profile email orders:read" });

/** A person with a browser of their own, at the application's sign-in. */
async function visit(changes = {}) {
  const context = await browser.newContext(changes);
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(error));
  await page.goto(spa.origin);
  await tabTo(page, "Sign in");
  await page.keyboard.press("Enter");
  await page.waitForSelector("input[name=password]");
  return { context, page };
}

test("by keyboard: sign-in, a part of what is asked, and known from then on; oidc-client-ts takes what comes", async () => {
  const user = await app.user({ profile: { name: "Ada Lovelace", email: "ada@example.com" } });
  const { context, page } = await visit();
  await look(page, "sign-in");
  await type(page, "login", user.login);
  await type(page, "password", "wrong");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[role=alert]");
  await look(page, "sign-in-wrong");
  assert.equal(await page.inputValue("[name=login]"), user.login, "what was typed stays, but for the password");
  assert.equal(await page.inputValue("[name=password]"), "");
  await type(page, "password", PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForSelector("[name=decision]");
  await look(page, "consent");
  await tabTo(page, "scope:orders:read");
  await page.keyboard.press("Space");
  await tabTo(page, "Allow");
  await page.keyboard.press("Enter");
  const said = await spa.came(page);
  assert.equal(said.profile.sub, user.id);
  assert.equal(said.profile.name, "Ada Lovelace", "userinfo, from a script of another origin");
  assert.equal(said.scope, "email openid profile", "but for what was unticked");
  // The back button repeats nothing.
  await page.goBack();
  await page.waitForLoadState();
  assert.ok(!(await page.content()).includes("tgc_"));
  // Known: no page in between.
  await page.goto(spa.origin);
  await tabTo(page, "Sign in");
  await page.keyboard.press("Enter");
  assert.equal((await spa.came(page)).profile.sub, user.id);
  for (const { name, value, secure, httpOnly, sameSite } of await context.cookies(app.issuer)) {
    remember("a cookie", value);
    assert.ok(name.startsWith("__Host-tollgate.app") && secure && httpOnly && sameSite === "Lax", name);
  }
  await context.close();
});

test("by keyboard: an account is made on the way, and a forgotten password is changed", async () => {
  const address = `${crypto.randomUUID()}@example.com`;
  const { context, page } = await visit();
  await tabTo(page, "Make one");
  await page.keyboard.press("Enter");
  await page.waitForSelector("text=Make an account");
  await look(page, "register");
  await type(page, "login", address);
  await page.keyboard.press("Enter");
  await page.waitForSelector("text=Look into your mailbox");
  await look(page, "register-mailed");
  // The mail is read in another tab.
  const mailbox = await context.newPage();
  await mailbox.goto((await post.link(address)).link);
  await look(mailbox, "register-confirm");
  await type(mailbox, "name", "Grace Hopper");
  await type(mailbox, "password", "short");
  await mailbox.keyboard.press("Enter");
  assert.ok(await mailbox.evaluate(() => document.querySelector("#password").validity.tooShort), "the browser says so before it is sent");
  await mailbox.fill("#password", PASSWORD);
  await mailbox.keyboard.press("Enter");
  await mailbox.waitForSelector("text=Your account is ready");
  await look(mailbox, "registered");
  await tabTo(page, "I have followed the link");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[name=decision]");
  await tabTo(page, "Allow");
  await page.keyboard.press("Enter");
  assert.equal((await spa.came(page)).profile.email, address);
  // Somewhere else, without the password.
  const other = await visit();
  await tabTo(other.page, "Forgotten the password?");
  await other.page.keyboard.press("Enter");
  await other.page.waitForSelector("text=Choose another password");
  await look(other.page, "reset");
  await type(other.page, "login", address);
  await other.page.keyboard.press("Enter");
  await other.page.waitForSelector("text=Look into your mailbox");
  await other.page.goto((await post.link(address)).link);
  await look(other.page, "reset-confirm");
  await type(other.page, "password", "another password");
  await other.page.keyboard.press("Enter");
  await other.page.waitForSelector("text=Your password is changed");
  await look(other.page, "reset-done");
  await page.goto(`${app.issuer}/account`);
  await page.waitForSelector("[name=password]");
  await other.context.close();
  await context.close();
});

test("by keyboard: denial", async () => {
  const user = await app.user();
  const { context, page } = await visit();
  await type(page, "login", user.login);
  await type(page, "password", PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForSelector("[name=decision]");
  await tabTo(page, "Do not allow");
  await page.keyboard.press("Enter");
  assert.deepEqual(await spa.came(page), { error: "access_denied" });
  await context.close();
});

test("by keyboard: the person's own page, taking back, and signing out", async () => {
  const user = await app.user();
  const { context, page } = await visit();
  await type(page, "login", user.login);
  await type(page, "password", PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForSelector("[name=decision]");
  await tabTo(page, "Allow");
  await page.keyboard.press("Enter");
  await spa.came(page);
  await page.goto(`${app.issuer}/account`);
  await look(page, "account");
  await tabTo(page, "Take back from Shop");
  await page.keyboard.press("Enter");
  await page.waitForSelector("[role=status]");
  await look(page, "account-taken-back");
  await page.goto(`${app.issuer}/oauth/logout`);
  await look(page, "sign-out");
  await tabTo(page, "Sign out");
  await page.keyboard.press("Enter");
  await page.waitForSelector("text=You are signed out");
  await look(page, "signed-out");
  await page.goto(`${app.issuer}/account`);
  await page.waitForSelector("[name=password]");
  await context.close();
});

test("without JavaScript, and a form that goes back by itself with it", async () => {
  const user = await app.user();
  const asks = (more) => {
    const all = { response_type: "code", client_id: client.client_id, redirect_uri: spa.redirect, scope: "openid", state: "s", code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", code_challenge_method: "S256", ...more };
    return `${app.issuer}/oauth/authorize?${new URLSearchParams(all)}`;
  };
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(asks({}));
  await page.fill("[name=login]", user.login);
  await page.fill("[name=password]", PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForSelector("[name=decision]");
  await page.click("text=Do not allow");
  await page.waitForURL(`${spa.redirect}?*`);
  assert.equal(new URL(page.url()).searchParams.get("error"), "access_denied");
  await page.goto(asks({ response_mode: "form_post", prompt: "none" }));
  await page.waitForSelector("text=Go on");
  await context.close();
  const scripted = await browser.newContext();
  const other = await scripted.newPage();
  const posted = other.waitForRequest((request) => request.method() === "POST" && request.url() === spa.redirect);
  await other.goto(asks({ response_mode: "form_post", prompt: "none" })).catch(() => {});
  const fields = new URLSearchParams((await posted).postData());
  assert.deepEqual([fields.get("error"), fields.get("state"), fields.get("iss")], ["login_required", "s", app.issuer]);
  await scripted.close();
});

test("pages that only say something", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const wrong = await page.goto(`${app.issuer}/oauth/authorize?client_id=${client.client_id}&redirect_uri=https%3A%2F%2Fevil.example`);
  assert.equal(wrong.status(), 400);
  await look(page, "error");
  assert.equal((await page.goto(`${app.issuer}/consent?transaction=junk`)).status(), 400);
  await look(page, "too-old");
  await context.close();
});

endsWithoutLeaks();
