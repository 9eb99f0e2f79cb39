// Passkeys in Chromium, by its own authenticator (WebDriver's virtual one): nothing here signs anything itself.
import assert from "node:assert/strict";
import { after, test } from "node:test";

import { launchChromium } from "../../tools/chromium.mjs";
import { endsWithoutLeaks } from "./support/instance.mjs";
import { PASSWORD, assertError, realmOf, startIssuer } from "./support/issuer.mjs";
import { look, tabTo, type } from "./support/pages.mjs";
import { startSpa } from "./support/spa.mjs";

const server = await startIssuer("passkeys");
// Its issuer has the name of a host: addresses have no passkeys.
const realm = realmOf(server, "passkeys");
const spa = await startSpa(8813);
const { browser, close } = await launchChromium();
after(async () => {
  await close();
  spa.stop();
});

const client = await realm.client({
  client_name: "Shop",
  grant_types: ["authorization_code", "refresh_token"],
  redirect_uris: [spa.redirect],
  token_endpoint_auth_method: "none",
  scope: "openid orders:read",
});
spa.use({ authority: realm.issuer, client_id: client.client_id, loadUserInfo: true, filterProtocolClaims: false, scope: "openid orders:read" });

/** A tab with a device that has passkeys; `changes` of the device. */
async function tab(context, changes = {}) {
  const page = await context.newPage();
  page.on("pageerror", (error) => assert.fail(error));
  page.on("console", (message) => assert.ok(!/Content Security Policy/.test(message.text()), message.text()));
  const devices = await context.newCDPSession(page);
  await devices.send("WebAuthn.enable");
  const options = { protocol: "ctap2", ctap2Version: "ctap2_1", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true, ...changes };
  const { authenticatorId } = await devices.send("WebAuthn.addVirtualAuthenticator", { options });
  const device = {
    passkeys: async () => (await devices.send("WebAuthn.getCredentials", { authenticatorId })).credentials,
    take: (credential) => devices.send("WebAuthn.addCredential", { authenticatorId, credential }),
    recognises: (isUserVerified) => devices.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified }),
  };
  return { page, device };
}

const press = async (page, wanted) => {
  await tabTo(page, wanted);
  await page.keyboard.press("Enter");
};

/** The sign-in page, on behalf of the application. */
async function visit(page) {
  await page.goto(spa.origin);
  await press(page, "Sign in");
  await page.waitForSelector("input[name=password]");
}

async function withPassword(page, user) {
  await type(page, "login", user.login);
  await type(page, "password", PASSWORD);
  await page.keyboard.press("Enter");
}

async function allow(page) {
  await page.waitForSelector("[name=decision]");
  await press(page, "Allow");
  return spa.came(page);
}

/** Somebody with one passkey, signed in with a password before. */
async function somebody(changes) {
  const user = await realm.user();
  const context = await browser.newContext();
  const { page, device } = await tab(context, changes);
  await page.goto(`${realm.issuer}/account`);
  await withPassword(page, user);
  await page.waitForSelector("text=Passkeys");
  await type(page, "name", "My laptop");
  await press(page, "Add a passkey");
  await page.waitForSelector("text=How you sign in is changed.");
  assert.equal((await device.passkeys()).length, 1);
  return { user, context, page, device };
}

/** The same device at another computer. */
async function elsewhere(device) {
  const context = await browser.newContext();
  const other = await tab(context);
  for (const passkey of await device.passkeys()) await other.device.take(passkey);
  return { context, ...other };
}

test("by keyboard: a passkey is added, and signs in alone", async () => {
  const { user, context, page, device } = await somebody();
  await look(page, "account-passkeys");
  // The device knows that it has one already.
  await type(page, "name", "Again");
  await press(page, "Add a passkey");
  await page.waitForSelector("text=This device has a passkey of yours already.");
  const other = await elsewhere(device);
  await visit(other.page);
  await look(other.page, "sign-in-passkey");
  await press(other.page, "Sign in with a passkey");
  const said = await allow(other.page);
  assert.equal(said.profile.sub, user.id);
  assert.deepEqual([said.profile.acr, said.profile.amr], ["urn:tollgate:acr:passkey", ["pop", "mfa"]]);
  // Used again, in another transaction: the counter has counted on.
  await other.context.clearCookies();
  await visit(other.page);
  await press(other.page, "Sign in with a passkey");
  assert.equal((await spa.came(other.page)).profile.sub, user.id);
  await page.goto(`${realm.issuer}/account`);
  await page.waitForSelector("text=Last used");
  await other.context.close();
  await context.close();
});

/** Signs in again, with the passkey: only then may a password count for less. */
async function proves(page, wanted) {
  await press(page, wanted);
  await page.waitForSelector("text=Sign in with a passkey first");
  await press(page, "Sign in with a passkey");
  await page.waitForSelector("text=Passkeys");
  await press(page, wanted);
}

test("by keyboard: a passkey after the password, and the password opens nothing alone", async () => {
  const { user, context, page, device } = await somebody();
  await proves(page, "Require a passkey with any password");
  await page.waitForSelector("text=Your password counts only with a passkey.");
  await look(page, "account-passkey-needed");
  const other = await elsewhere(device);
  await visit(other.page);
  await withPassword(other.page, user);
  await other.page.waitForSelector("text=Now your passkey");
  await look(other.page, "second-factor");
  // Whoever is not recognised is let in by no device.
  await other.device.recognises(false);
  await press(other.page, "Sign in with a passkey");
  await other.page.waitForSelector("text=It was cancelled, or took too long.");
  await other.device.recognises(true);
  await press(other.page, "Sign in with a passkey");
  const said = await allow(other.page);
  assert.deepEqual([said.profile.sub, said.profile.amr], [user.id, ["pwd", "pop", "mfa"]]);
  const legacy = await realm.client({ grant_types: ["password"] });
  assertError(await realm.token({ grant_type: "password", username: user.login, password: PASSWORD, ...legacy.who }), "invalid_grant");
  await other.context.close();
  await context.close();
});

test("by keyboard: without a password, and the last passkey stays", async () => {
  const { user, context, page, device } = await somebody();
  await proves(page, "Remove the password");
  await page.waitForSelector("text=You have no password.");
  await press(page, "Remove My laptop");
  await page.waitForSelector("text=It is the last way into your account.");
  await look(page, "passkey-last");
  const other = await elsewhere(device);
  await visit(other.page);
  await withPassword(other.page, user);
  await other.page.waitForSelector("text=The login or the password is wrong.");
  await press(other.page, "Sign in with a passkey");
  assert.equal((await allow(other.page)).profile.sub, user.id);
  // Whoever has lost theirs.
  assert.equal((await realm.manage("PATCH", `/users/${user.id}`, { forget_passkeys: true, password: PASSWORD })).status, 200);
  await other.context.clearCookies();
  await visit(other.page);
  await press(other.page, "Sign in with a passkey");
  await other.page.waitForSelector("text=That passkey does not count here.");
  await look(other.page, "sign-in-passkey-wrong");
  await withPassword(other.page, user);
  assert.equal((await spa.came(other.page)).profile.sub, user.id);
  await other.context.close();
  await context.close();
});

test("a page that was gone back to, and one that another tab has overtaken, can be used", async () => {
  const { user, context, page, device } = await somebody();
  const other = await elsewhere(device);
  await visit(other.page);
  await press(other.page, "Sign in with a passkey");
  assert.equal((await allow(other.page)).profile.sub, user.id);
  await other.page.goto(`${realm.issuer}/account`);
  await press(other.page, "Sign out of this browser");
  await other.page.waitForSelector("text=You are signed out");
  await other.page.goBack();
  await other.page.waitForLoadState();
  assert.ok(!(await other.page.content()).includes("tgc_"));
  await other.context.close();
  await page.reload();
  await page.waitForSelector("text=My laptop");
  await context.close();
});

test("a browser without JavaScript, or without passkeys, shows the password and no button that does nothing", async () => {
  const user = await realm.user();
  const plain = await browser.newContext({ javaScriptEnabled: false });
  const page = await plain.newPage();
  await page.goto(`${realm.issuer}/account`);
  assert.equal(await page.isVisible("text=Sign in with a passkey"), false);
  await withPassword(page, user);
  await page.waitForSelector("text=Adding a passkey needs JavaScript");
  assert.equal(await page.isVisible("text=Add a passkey"), false);
  await plain.close();
  const old = await browser.newContext();
  await old.addInitScript(() => delete globalThis.PublicKeyCredential);
  const other = await old.newPage();
  await other.goto(`${realm.issuer}/account`);
  assert.equal(await other.isVisible("text=Sign in with a passkey"), false);
  await old.close();
});

endsWithoutLeaks(server);
