// Accounts: people who take themselves in, forgotten passwords, sign-outs that applications hear of, ID tokens in RS256.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { createRemoteJWKSet, jwtVerify } from "jose";
import * as oauth from "oauth4webapi";

import { endsWithoutLeaks } from "./support/instance.mjs";
import { PASSWORD, REDIRECT, realmOf, startIssuer } from "./support/issuer.mjs";
import { LIBRARIES } from "./support/libraries.mjs";
import { Person, formOf } from "./support/person.mjs";
import { startPost } from "./support/post.mjs";
import { remember, rememberToken } from "./support/secrets.mjs";

const post = await startPost();
after(() => post.stop());
const server = await startIssuer("accounts", { secrets: { TOLLGATE_MAIL_TOKEN: "a-token-that-the-webhook-knows" } });
const app = realmOf(server, "app");
const keys = createRemoteJWKSet(new URL(`${app.issuer}/jwks`));
const METADATA = { grant_types: ["authorization_code", "refresh_token"], redirect_uris: [REDIRECT], scope: "openid profile email orders:read" };

/** Follows the link of this name on a page. */
const linked = (page, path) => {
  const href = new RegExp(`href="([^"]*${path}[^"]*)"`).exec(page.text)?.[1];
  assert.ok(href, page.text.slice(0, 600));
  return new URL(href, page.url).href;
};

/** Sends the form of a page, with what is typed. */
const send = (person, page, typed) => {
  const { action, fields } = formOf(page.text);
  return person.send(new URL(action, page.url), { ...fields, ...typed });
};

function keep({ tokens, claims }) {
  rememberToken(tokens.access_token);
  rememberToken(tokens.id_token);
  if (tokens.refresh_token) remember("a refresh token", tokens.refresh_token);
  return { tokens, claims };
}

async function signIn(by, person, scope = "openid orders:read") {
  const { url, finish } = await by.signIn({ scope });
  return keep(await finish(await person.visit(url)));
}

for (const library of LIBRARIES) {
  test(`${library.name}: somebody makes an account on the way, and the application gets a verified address`, async () => {
    const client = await app.client({ ...METADATA, client_name: "Shop" });
    const by = await library.open(app.issuer, client, "client_secret_basic");
    const { url, finish } = await by.signIn({ scope: "openid profile email" });
    const person = new Person(`${randomUUID()}@example.com`);
    const page = await person.send((await person.send(url)).url);
    const waits = await send(person, await person.send(linked(page, "/register")), { login: person.login.toUpperCase() });
    assert.match(waits.text, /Look into your mailbox/);
    const mail = await post.link(person.login);
    assert.deepEqual([mail.from, mail.authorization], ["Tollgate <no-reply@example.com>", "Bearer a-token-that-the-webhook-knows"]);
    const done = await send(person, await person.send(mail.link), { password: PASSWORD, name: "Grace Hopper" });
    assert.deepEqual([done.status, new URL(done.next).pathname], [303, "/app/account"]);
    // The tab that waited.
    const { tokens, claims } = keep(await finish(await person.visit(linked(waits, "/consent"))));
    const told = await by.userinfo(tokens.access_token, claims.sub);
    assert.deepEqual({ ...told }, { sub: claims.sub, name: "Grace Hopper", preferred_username: person.login, email: person.login, email_verified: true });
    const again = await send(person, await person.send(mail.link), { password: PASSWORD });
    assert.equal(again.status, 409);
  });
}

test("twenty who follow one invitation at once: one account", async () => {
  const person = new Person(`${randomUUID()}@example.com`);
  await send(person, await person.send(`${app.issuer}/register`), { login: person.login });
  const { link } = await post.link(person.login);
  const statuses = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const one = new Person(person.login);
      return (await send(one, await one.send(link), { password: PASSWORD })).status;
    }),
  );
  assert.deepEqual([statuses.filter((status) => status === 303).length, statuses.filter((status) => status === 409).length], [1, 19]);
});

test("a forgotten password: another one, everything ends, and the link counts once", async () => {
  const user = await app.user({ profile: { email: `${randomUUID()}@example.com` } });
  const client = await app.client(METADATA);
  const by = await LIBRARIES[0].open(app.issuer, client, "client_secret_basic");
  const { tokens } = await signIn(by, new Person(user.login));
  assert.equal((await app.call(tokens.access_token)).status, 200);
  const stranger = new Person(user.login);
  await send(stranger, await stranger.send(`${app.issuer}/reset`), { login: user.login });
  const { link } = await post.link(user.profile.email);
  const statuses = await Promise.all(
    Array.from({ length: 5 }, async () => {
      const one = new Person(user.login);
      return (await send(one, await one.send(link), { password: "another password" })).status;
    }),
  );
  assert.deepEqual(statuses.sort(), [200, 400, 400, 400, 400]);
  await assert.rejects(by.refresh(tokens.refresh_token));
  const after = await signIn(by, new Person(user.login, "another password"));
  assert.equal(after.claims.sub, user.id);
});

for (const [alg, metadata] of [["ES256", {}], ["RS256", { id_token_signed_response_alg: "RS256" }]]) {
  test(`an application hears of a sign-out, in ${alg}, and its tokens end`, async () => {
    post.notices.length = 0;
    const after = "https://app.example/bye";
    const more = { backchannel_logout_uri: post.hears, post_logout_redirect_uris: [after], ...metadata };
    const client = await app.client({ ...METADATA, ...more });
    const user = await app.user();
    const by = await LIBRARIES[0].open(app.issuer, client, "client_secret_basic");
    const [here, there] = [new Person(user.login), new Person(user.login)];
    const [first, other] = [await signIn(by, here), await signIn(by, there)];
    assert.equal(JSON.parse(Buffer.from(first.tokens.id_token.split(".")[0], "base64url")).alg, alg);
    // The first try fails: the alarm tries again after 5 s.
    post.answers.push(503);
    await here.send(by.signOut({ id_token_hint: first.tokens.id_token, post_logout_redirect_uri: after }));
    const deadline = Date.now() + 20_000;
    while (post.notices.length < 2 && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(post.notices.map(({ status }) => status), [503, 200]);
    for (const { token, type } of post.notices) {
      assert.match(type, /^application\/x-www-form-urlencoded/);
      rememberToken(token);
      const { payload, protectedHeader } = await jwtVerify(token, keys, { issuer: app.issuer, audience: client.client_id, typ: "logout+jwt" });
      assert.equal(protectedHeader.alg, alg);
      assert.deepEqual([payload.sub, payload.sid], [user.id, first.claims.sid]);
      assert.deepEqual(payload.events, { "http://schemas.openid.net/event/backchannel-logout": {} });
    }
    await assert.rejects(by.refresh(first.tokens.refresh_token));
    const next = await by.refresh(other.tokens.refresh_token);
    rememberToken(next.access_token);
    rememberToken(next.id_token);
    remember("a refresh token", next.refresh_token);
  });
}

test("a library that knows RS256 only takes such ID tokens, and refuses others", async () => {
  const user = await app.user();
  for (const [metadata, fits] of [[{ id_token_signed_response_alg: "RS256" }, true], [{}, false]]) {
    const client = await app.client({ ...METADATA, ...metadata });
    const url = new URL(app.issuer);
    const insecure = { [oauth.allowInsecureRequests]: true };
    const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure));
    assert.deepEqual(as.id_token_signing_alg_values_supported, ["ES256", "RS256"]);
    const me = { client_id: client.client_id, id_token_signed_response_alg: "RS256" };
    const verifier = oauth.generateRandomCodeVerifier();
    const asked = { client_id: me.client_id, redirect_uri: REDIRECT, response_type: "code", scope: "openid", code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" };
    const came = await new Person(user.login).visit(`${as.authorization_endpoint}?${new URLSearchParams(asked)}`);
    const parameters = oauth.validateAuthResponse(as, me, new URL(came), oauth.expectNoState);
    const response = await oauth.authorizationCodeGrantRequest(as, me, oauth.ClientSecretBasic(client.client_secret), parameters, REDIRECT, verifier, insecure);
    const body = await response.clone().json();
    rememberToken(body.access_token);
    rememberToken(body.id_token);
    if (body.refresh_token) remember("a refresh token", body.refresh_token);
    const taken = oauth.processAuthorizationCodeResponse(as, me, response, { requireIdToken: true });
    if (!fits) {
      await assert.rejects(taken, /alg/);
      continue;
    }
    await taken;
    await oauth.validateApplicationLevelSignature(as, response, insecure);
  }
});

endsWithoutLeaks();
