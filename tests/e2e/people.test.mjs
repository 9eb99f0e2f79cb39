// People sign in: two client libraries against the real pages, and what the pages answer.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { endsWithoutLeaks } from "./support/instance.mjs";
import { REDIRECT, ask, assertStatus, realmOf, startIssuer } from "./support/issuer.mjs";
import { LIBRARIES } from "./support/libraries.mjs";
import { Person } from "./support/person.mjs";
import { remember, rememberToken } from "./support/secrets.mjs";

const server = await startIssuer("people");
const app = realmOf(server, "app");

/** What a library got, to be looked for at the end. */
function keep({ tokens, claims }) {
  rememberToken(tokens.access_token);
  rememberToken(tokens.id_token);
  if (tokens.refresh_token) remember("a refresh token", tokens.refresh_token);
  return { tokens, claims };
}

const METADATA = { grant_types: ["authorization_code", "refresh_token"], redirect_uris: [REDIRECT], scope: "openid profile email orders:read" };
const profile = { name: "Ada Lovelace", email: "ada@example.com", email_verified: true };

for (const library of LIBRARIES) {
  for (const method of ["client_secret_basic", "none"]) {
    test(`${library.name}: a person signs in, with ${method}: code, ID token, userinfo, refresh, revocation`, async () => {
      const client = await app.client({ ...METADATA, client_name: "Shop", token_endpoint_auth_method: method });
      const user = await app.user({ profile });
      const by = await library.open(app.issuer, client, method);
      const { url, finish } = await by.signIn({ scope: "openid profile email orders:read" });
      const person = new Person(user.login);
      const { tokens, claims } = keep(await finish(await person.visit(url)));
      assert.equal(claims.sub, user.id);
      assert.ok(Math.abs(claims.auth_time - Date.now() / 1000) < 30);
      const told = await by.userinfo(tokens.access_token, user.id);
      assert.deepEqual({ ...told }, { sub: user.id, name: profile.name, preferred_username: user.login, email: profile.email, email_verified: true });
      assert.equal((await app.call(tokens.access_token)).status, 200);
      const next = await by.refresh(tokens.refresh_token);
      rememberToken(next.access_token);
      rememberToken(next.id_token);
      remember("a refresh token", next.refresh_token);
      assert.equal((await by.userinfo(next.access_token, user.id)).sub, user.id);
      await by.revoke(next.refresh_token);
      await assert.rejects(by.userinfo(next.access_token, user.id));
      // Known from now on: no page.
      const again = await by.signIn({ scope: "openid", prompt: "none" });
      const answer = await person.send(again.url);
      assert.equal(answer.status, 303);
      assert.equal(keep(await again.finish(answer.next)).claims.sub, user.id);
    });
  }

  test(`${library.name}: a pushed request, and signing out`, async () => {
    const after = "https://app.example/bye";
    const client = await app.client({ ...METADATA, require_pushed_authorization_requests: true, post_logout_redirect_uris: [after] });
    const user = await app.user();
    const by = await library.open(app.issuer, client, "client_secret_basic");
    const person = new Person(user.login);
    const { url, finish } = await by.signIn({ scope: "openid orders:read", pushed: true });
    assert.deepEqual([...url.searchParams.keys()].sort(), ["client_id", "request_uri"]);
    const { tokens, claims } = keep(await finish(await person.visit(url)));
    assert.equal(claims.sub, user.id);
    const left = await person.send(by.signOut({ id_token_hint: tokens.id_token, post_logout_redirect_uri: after, state: "s" }));
    assert.deepEqual([left.status, left.next], [303, `${after}?state=s`]);
    const quiet = await by.signIn({ scope: "openid", prompt: "none", pushed: true });
    const answer = await person.send(quiet.url);
    assert.equal(new URL(answer.next).searchParams.get("error"), "login_required");
  });

  test(`${library.name}: a person does not allow it, or is not there`, async () => {
    const client = await app.client(METADATA);
    const user = await app.user();
    const by = await library.open(app.issuer, client, "client_secret_basic");
    const person = new Person(user.login);
    const quiet = await by.signIn({ scope: "openid", prompt: "none" });
    await assert.rejects(quiet.finish((await person.send(quiet.url)).next), /login_required|redirect|error/i);
    const asked = await by.signIn({ scope: "openid orders:read" });
    const address = await person.visit(asked.url, (fields) => ({ ...fields, decision: "deny" }));
    assert.equal(new URL(address).searchParams.get("error"), "access_denied");
    assert.equal(new URL(address).searchParams.get("iss"), app.issuer);
    await assert.rejects(asked.finish(address));
  });
}

test("RFC 9470: who has signed in too long ago does so again, and passes", async () => {
  const client = await app.client(METADATA);
  const user = await app.user();
  const by = await LIBRARIES[0].open(app.issuer, client, "client_secret_basic");
  const person = new Person(user.login);
  const signIn = async (more = {}) => {
    const { url, finish } = await by.signIn({ scope: "openid orders:read", ...more });
    return keep(await finish(await person.visit(url))).tokens;
  };
  const first = await signIn();
  assert.equal((await app.call(first.access_token, "/echo/fresh/x")).status, 200);
  // One second, and the leeway of a realm's own tokens.
  await sleep(6_500);
  const refused = await app.call(first.access_token, "/echo/fresh/x");
  assert.equal(refused.status, 401);
  const said = refused.headers.get("www-authenticate");
  assert.match(said, /^Bearer error="insufficient_user_authentication", error_description="[^"]+", max_age="1"/);
  assert.equal((await app.call(first.access_token)).status, 200, "elsewhere it still counts");
  // A refresh is no sign-in, nor is a code without `max_age`: the browser is known.
  const refreshed = keep({ tokens: await by.refresh(first.refresh_token) }).tokens;
  assert.equal((await app.call(refreshed.access_token, "/echo/fresh/x")).status, 401);
  assert.equal((await app.call((await signIn()).access_token, "/echo/fresh/x")).status, 401);
  const max_age = /max_age="(\d+)"/.exec(said)[1];
  assert.equal((await app.call((await signIn({ max_age })).access_token, "/echo/fresh/x")).status, 200);
});

test("what is unticked is not granted, and a form goes back where the client wants one", async () => {
  const client = await app.client(METADATA);
  const user = await app.user();
  const by = await LIBRARIES[0].open(app.issuer, client, "client_secret_basic");
  const { url, finish } = await by.signIn({ scope: "openid profile orders:read", response_mode: "form_post" });
  const answer = await new Person(user.login).visit(url, ({ "scope:orders:read": _, ...fields }) => ({ ...fields, decision: "allow" }));
  assert.equal(answer.action, REDIRECT);
  const { tokens } = keep(await finish(`${REDIRECT}?${new URLSearchParams(answer.fields)}`));
  assert.equal(tokens.scope, "openid profile");
  assert.equal((await app.call(tokens.access_token, "/orders")).status, 403);
});

test("attack 67: pages set cookies of their own kind, and headers that keep them to themselves", async () => {
  const client = await app.client(METADATA);
  const by = await LIBRARIES[0].open(app.issuer, client, "client_secret_basic");
  const { url } = await by.signIn({ scope: "openid" });
  const page = await new Person("nobody@example.com").send(url);
  assert.equal(page.status, 200);
  const cookies = page.headers.getSetCookie();
  assert.equal(cookies.length, 1);
  assert.match(cookies[0], /^__Host-tollgate\.app\.[\w-]{22}=[\w-]{22}; Path=\/; Max-Age=1800; Secure; HttpOnly; SameSite=Lax$/);
  for (const [name, value] of [["cache-control", "no-store"], ["referrer-policy", "no-referrer"], ["x-frame-options", "DENY"], ["access-control-allow-origin", null]]) {
    assert.equal(page.headers.get(name), value, name);
  }
  const style = await ask(`${app.issuer}/assets/style.css`, { method: "GET" });
  assertStatus(style, 200);
  assert.match(style.headers.get("content-type"), /^text\/css/);
});

test("one transaction has one end, however often it is answered at once, and whatever is said", async () => {
  const client = await app.client(METADATA);
  const user = await app.user();
  const by = await LIBRARIES[0].open(app.issuer, client, "client_secret_basic");
  for (let round = 0; round < 3; round += 1) {
    const { url } = await by.signIn({ scope: "openid orders:read", prompt: "login consent" });
    const person = new Person(user.login);
    let fields;
    // Stops at the consent page.
    await person.visit(url, (seen) => ((fields = seen), { ...seen, decision: "" })).catch(() => {});
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) => person.send(`${app.issuer}/consent`, { ...fields, decision: at % 3 === 2 ? "deny" : "allow" })),
    );
    const went = answers.filter(({ status }) => status === 303).map(({ next }) => new URL(next).searchParams);
    for (const { status } of answers) assert.ok([303, 400, 409].includes(status), `${status}`);
    assert.equal(went.length, 1, "one answer counts");
    assert.ok(went[0].has("code") !== went[0].has("error"));
  }
});

test("ten tabs of two people at once: each comes back with its own", async () => {
  const client = await app.client(METADATA);
  const people = await Promise.all([1, 2].map(async () => ({ user: await app.user() })));
  for (const one of people) one.person = new Person(one.user.login);
  const by = await LIBRARIES[0].open(app.issuer, client, "client_secret_basic");
  const tabs = people.flatMap((one) => Array.from({ length: 10 }, () => one));
  const seen = await Promise.all(
    tabs.map(async ({ user, person }) => {
      const { url, finish } = await by.signIn({ scope: "openid orders:read", prompt: "login consent" });
      return [keep(await finish(await person.visit(url))).claims.sub, user.id];
    }),
  );
  for (const [came, wanted] of seen) assert.equal(came, wanted);
});

endsWithoutLeaks();
