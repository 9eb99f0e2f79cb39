// People sign in with an outside provider: a second tollgate is one, and oidc-provider is another.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";

import { launchChromium } from "../../tools/chromium.mjs";
import { root } from "../../tools/project.mjs";
import { endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { REDIRECT, ask, assertStatus, realmOf, startIssuer } from "./support/issuer.mjs";
import { LIBRARIES } from "./support/libraries.mjs";
import { startOutside } from "./support/outside.mjs";
import { Person } from "./support/person.mjs";
import { remember, rememberToken } from "./support/secrets.mjs";

const [PORT, OUTSIDE_PORT] = [8815, 8816];
const HOME = `http://127.0.0.1:${PORT}/home`;
const callbackOf = (id) => `${HOME}/federation/${id}/callback`;

// The provider first: it says which client the other is.
const upstream = await startIssuer("federation-upstream");
after(() => upstream.stop());
const up = realmOf(upstream, "app");
const scope = "openid profile email";
const client = await up.client({ client_name: "Home", grant_types: ["authorization_code"], redirect_uris: [callbackOf("up")], scope });
const secret = remember("a client secret", randomBytes(32).toString("base64url"));
const outside = await startOutside({ port: OUTSIDE_PORT, client_id: "tollgate", client_secret: secret, redirect_uri: callbackOf("outside") });

const provider = (label, issuer, client_id, client_secret_name, more) => ({ label, issuer, client_id, client_secret_name, ...more });
const config = join(upstream.folder, "home.json");
writeFileSync(
  config,
  JSON.stringify({
    realms: {
      home: {
        issuer: HOME,
        allow_http: true,
        providers: {
          outside: provider("Outside", outside.issuer, "tollgate", "OUTSIDE_SECRET", { sign_up: true }),
          up: provider("Upstream", up.issuer, client.client_id, "UPSTREAM_SECRET", { sign_up: true }),
        },
      },
    },
  }),
);
const secrets = { OUTSIDE_SECRET: secret, UPSTREAM_SECRET: client.client_secret };
const server = await startInstance("federation", { port: PORT, config, secrets });
const home = realmOf(server, "home");
const app = await home.client({ client_name: "Shop", grant_types: ["authorization_code", "refresh_token"], redirect_uris: [REDIRECT], scope });
const by = await LIBRARIES[0].open(home.issuer, app, "client_secret_basic");

const decode = (text) => text.replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));

/** Where the button of a provider leads. */
function button(page, id) {
  const [, link] = new RegExp(`href="(/home/federation/${id}\\?[^"]*)"`).exec(page.text) ?? assert.fail(page.text);
  return new URL(decode(link), HOME);
}

/** From the application to a provider: what the browser is sent there with. */
async function leave(person, id, more = {}) {
  const { url, finish } = await by.signIn({ scope, ...more });
  const page = await person.send(url);
  const out = await person.send(button(page, id));
  assert.equal(out.status, 303, out.text);
  return { out: out.next, finish };
}

/** Follows redirects until the address is `HOME`'s. */
async function follow(person, url) {
  for (let steps = 0; steps < 12; steps += 1) {
    if (url.startsWith(HOME)) return url;
    const answer = await person.send(url);
    assert.ok(answer.next, `${answer.status} ${answer.text.slice(0, 400)}`);
    url = answer.next;
  }
  throw new Error("it goes round in circles");
}

function keep({ tokens, claims }) {
  rememberToken(tokens.access_token);
  rememberToken(tokens.id_token);
  remember("a refresh token", tokens.refresh_token);
  return { tokens, claims };
}

/** Signs in, and says what came of it: the claims, and what userinfo tells. */
async function signIn(person, id, go, more) {
  const { out, finish } = await leave(person, id, more);
  const back = await go(out);
  assert.ok(back.startsWith(`${callbackOf(id)}?`), back);
  const { tokens, claims } = keep(await finish(await person.visit(back)));
  return { claims, back, told: { ...(await by.userinfo(tokens.access_token, claims.sub)) } };
}

test("a second tollgate is the provider: newcomer, the same person again, somebody else", async () => {
  const profile = { name: "Ada Lovelace", email: "ada@example.com", email_verified: true };
  const ada = await up.user({ profile });
  const person = new Person(ada.login);
  const { claims, told } = await signIn(person, "up", (out) => person.visit(out));
  assert.notEqual(claims.sub, ada.id, "a number of its own");
  assert.equal(claims.acr, "urn:tollgate:acr:federated");
  assert.deepEqual(told, { sub: claims.sub, ...profile });
  const known = assertStatus(await home.manage("GET", `/users/${claims.sub}`), 200);
  assert.deepEqual(known.federated, { iss: up.issuer, sub: ada.id });
  assert.deepEqual([known.roles, known.has_password, known.login], [[], false, undefined]);
  const elsewhere = new Person(ada.login);
  assert.equal((await signIn(elsewhere, "up", (out) => elsewhere.visit(out))).claims.sub, claims.sub);
  const eve = await up.user({ profile });
  const other = new Person(eve.login);
  assert.notEqual((await signIn(other, "up", (out) => other.visit(out))).claims.sub, claims.sub, "by number, not by address");
  // Known in this browser: nobody is asked.
  const quiet = await by.signIn({ scope, prompt: "none" });
  assert.equal(keep(await quiet.finish((await person.send(quiet.url)).next)).claims.sub, claims.sub);
  const account = await person.send(`${HOME}/account`);
  assert.match(account.text, /You are signed in as <strong>ada@example.com/);
});

test("a recent sign-in is asked for there, and counts here", async () => {
  const ada = await up.user();
  const person = new Person(ada.login);
  await signIn(person, "up", (out) => person.visit(out));
  const { claims } = await signIn(person, "up", (out) => (assert.equal(new URL(out).searchParams.get("prompt"), "login"), person.visit(out)), {
    prompt: "login",
    max_age: "60",
  });
  assert.ok(Math.abs(claims.auth_time - Date.now() / 1000) < 30);
});

test("oidc-provider is the provider: newcomer with what userinfo tells, the same person again, denial", async () => {
  const grace = { sub: "grace|1", name: "Grace Hopper", email: "grace@example.com", email_verified: true };
  outside.act(grace);
  const person = new Person("");
  const { claims, told } = await signIn(person, "outside", (out) => follow(person, out));
  const { sub: _, ...profile } = grace;
  assert.deepEqual(told, { sub: claims.sub, ...profile });
  assert.ok(outside.seen.some((path) => path.startsWith("/me")), "userinfo was asked");
  const asked = outside.seen.filter((path) => path.startsWith("/me")).length;
  const elsewhere = new Person("");
  assert.equal((await signIn(elsewhere, "outside", (out) => follow(elsewhere, out))).claims.sub, claims.sub);
  assert.equal(outside.seen.filter((path) => path.startsWith("/me")).length, asked, "and not again");
  outside.act(null);
  const nobody = new Person("");
  const { out } = await leave(nobody, "outside");
  const page = await nobody.send(await follow(nobody, out));
  assert.equal(page.status, 400);
  assert.match(page.text, /Outside was told not to sign you in/);
  // And the same page leads on.
  outside.act(grace);
  const again = await nobody.send(button(page, "outside"));
  const back = await nobody.send(await follow(nobody, again.next));
  assert.equal(back.status, 303);
});

test("attack 67: an answer counts in its browser, once, from its provider", async () => {
  outside.act({ sub: "grace|2" });
  const [person, thief] = [new Person(""), new Person("")];
  const { out } = await leave(person, "outside");
  const asked = new URL(out).searchParams;
  assert.deepEqual([asked.get("code_challenge_method"), asked.get("redirect_uri")], ["S256", callbackOf("outside")]);
  assert.ok(asked.get("nonce").length >= 43 && asked.get("state").length >= 43);
  const back = await follow(person, out);
  assert.equal((await thief.send(back)).status, 400, "another browser");
  assert.equal((await person.send(back.replace("/outside/", "/up/"))).status, 400, "another provider");
  const mixed = new URL(back);
  mixed.searchParams.set("iss", up.issuer);
  const [first, second] = await Promise.all([person.send(back), person.send(back)]);
  const went = [first, second].filter(({ status }) => status === 303);
  assert.ok(went.length <= 1, "of two at once at most one counts");
  assert.equal((await person.send(back)).status, 400, "used before");
  const other = await leave(person, "outside");
  const wrong = new URL(await follow(person, other.out));
  wrong.searchParams.set("iss", up.issuer);
  const page = await person.send(wrong);
  assert.equal(page.status, 400);
  assert.match(page.text, /Outside sent an answer that does not count/);
});

test("a code that does not count: the person is told, and signs in with another", async () => {
  const ada = await up.user();
  const person = new Person(ada.login);
  const { out } = await leave(person, "up");
  const back = await person.visit(out);
  const wrong = new URL(back);
  wrong.searchParams.set("code", "tgc_nothing");
  const page = await person.send(wrong);
  assert.equal(page.status, 400);
  assert.match(page.text, /Upstream sent an answer that does not count/);
  outside.act({ sub: "ada|3" });
  const again = await person.send(button(page, "outside"));
  assert.equal((await person.send(await follow(person, again.next))).status, 303);
  const nowhere = await ask(`${HOME}/federation/nowhere/callback`, { method: "GET" });
  assertStatus(nowhere, 404);
});

test("by keyboard, in Chromium: the button leads there and back, and nothing of the pages' policy is in the way", async () => {
  const { browser, close } = await launchChromium();
  after(close);
  outside.act({ sub: "grace|4", name: "Grace Hopper" });
  for (const viewport of [{ width: 1280, height: 800 }, { width: 360, height: 740 }]) {
    const context = await browser.newContext({ viewport });
    const page = await context.newPage();
    const refused = [];
    page.on("console", (message) => /Content Security Policy/i.test(message.text()) && refused.push(message.text()));
    const { url, finish } = await by.signIn({ scope, prompt: "consent" });
    await page.goto(url.href);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
    await page.screenshot({ path: join(root, "target", `federation-${viewport.width}.png`), fullPage: true });
    await page.evaluate(readFileSync(join(root, "node_modules", "axe-core", "axe.min.js"), "utf8"));
    const { violations } = await page.evaluate(() => globalThis.axe.run());
    assert.deepEqual(violations.map(({ id }) => id), []);
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
    for (let presses = 0; presses < 12 && (await focused()) !== "Continue with Outside"; presses += 1) await page.keyboard.press("Tab");
    assert.equal(await focused(), "Continue with Outside");
    await page.keyboard.press("Enter");
    await page.waitForSelector("[name=decision]");
    for (let presses = 0; presses < 12 && (await focused()) !== "Allow"; presses += 1) await page.keyboard.press("Tab");
    // There is no such host: that the browser asks for it is enough.
    const gone = page.waitForRequest((request) => request.url().startsWith(`${REDIRECT}?`));
    await page.keyboard.press("Enter");
    const { claims } = keep(await finish((await gone).url()));
    assert.equal(claims.acr, "urn:tollgate:acr:federated");
    assert.deepEqual(refused, []);
    for (const { value } of await context.cookies(HOME)) remember("a cookie", value);
    await context.close();
  }
});

endsWithoutLeaks();
