// What changes about people, clients and secrets while their tokens are in use: the old ones end, the new ones say what is left.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeJwt } from "jose";

import { GRAIN, HERE, PASSWORD, assertError, assertStatus, realmOf, seconds, startIssuer, untilRefused, withWho } from "./support/issuer.mjs";
import { endsWithoutLeaks } from "./support/instance.mjs";
import { remember } from "./support/secrets.mjs";

// For the way of a request.
const MARGIN = 500;
const WITHIN = 2 * GRAIN + MARGIN;

const server = await startIssuer("changes");
const [app, exact, cutoff] = ["app", "exact", "cutoff"].map((name) => realmOf(server, name));
const rolesOf = async (realm, token) => assertStatus(await realm.call(token), 200).headers["x-tollgate-roles"];

describe("what ends tokens, within two grains of one second", { concurrency: true }, () => {
  const ofPeople = {
    "another role": ["PATCH", "", { roles: ["viewer"] }],
    "disabled": ["PATCH", "", { disabled: true }],
    "another password": ["PATCH", "", { password: remember("a password", "a password that is new") }],
    "deleted": ["DELETE", ""],
    "signed out everywhere": ["POST", "/sign-out"],
  };
  for (const [about, [method, path, json]] of Object.entries(ofPeople)) {
    test(`a person: ${about}`, async (context) => {
      const [person, client] = [await app.user(), await app.app()];
      const all = [await app.signIn(person, client), await app.signIn(person, client)];
      const other = await app.signIn(await app.user(), client);
      for (const { access_token } of all) assert.equal(await rolesOf(app, access_token), "editor,viewer");
      const { status } = await app.manage(method, `/users/${person.id}${path}`, json);
      assert.ok(status === 200 || status === 204, String(status));
      const taken = await Promise.all(all.map(({ access_token }) => untilRefused(app, access_token, WITHIN)));
      context.diagnostic(`refused after ${taken.map(Math.round).join(" and ")} ms`);
      for (const { refresh_token } of all) assertError(await app.refresh(client, refresh_token), "invalid_grant");
      assertStatus(await app.call(other.access_token), 200, "somebody else's");
    });
  }

  test("a person: the same roles again end nothing; new tokens have the roles that are left", async () => {
    const [person, client] = [await app.user(), await app.app()];
    const before = await app.signIn(person, client);
    assertStatus(await app.manage("PATCH", `/users/${person.id}`, { roles: ["viewer", "editor"] }), 200);
    await sleep(WITHIN);
    assert.equal(await rolesOf(app, before.access_token), "editor,viewer");
    assertStatus(await app.manage("PATCH", `/users/${person.id}`, { roles: ["viewer"] }), 200);
    const after = await app.signIn(person, client);
    assert.deepEqual(decodeJwt(after.access_token).roles, ["viewer"]);
    assert.equal(await rolesOf(app, after.access_token), "viewer");
    await untilRefused(app, before.access_token, WITHIN);
    assertStatus(await app.call(after.access_token), 200, "what was granted after the change lives");
  });

  test("a person who is disabled redeems no code and no password, and may again when they are not", async () => {
    const [person, client] = [await app.user(), await app.app()];
    const legacy = await app.client({ grant_types: ["password"] });
    const signIn = () => app.token({ grant_type: "password", username: person.login, password: PASSWORD, ...legacy.who });
    assertStatus(await signIn(), 200);
    const form = await app.code(person, client);
    assertStatus(await app.manage("PATCH", `/users/${person.id}`, { disabled: true }), 200);
    assertError(await app.token(form), "invalid_grant");
    assertError(await signIn(), "invalid_grant");
    assertStatus(await app.manage("PATCH", `/users/${person.id}`, { disabled: false }), 200);
    assert.equal(decodeJwt(assertStatus(await signIn(), 200).access_token).sub, person.id);
    assertStatus(await app.manage("DELETE", `/users/${person.id}`), 204);
    assert.equal((await app.manage("GET", `/users/${person.id}`)).status, 404);
    assertError(await signIn(), "invalid_grant");
  });

  const ofClients = {
    "deleted": async (client) => assertStatus(await app.manage("DELETE", `/clients/${client.client_id}`), 204),
    "another secret without overlap": async (client) => assertStatus(await app.manage("POST", `/clients/${client.client_id}/secret`), 200),
    "another role": async (client) => assertStatus(await change(client, { roles: ["viewer"] }), 200),
    "an end that has come": async (client) => assertStatus(await change(client, { expires_at: seconds() - 1 }), 200),
  };
  const change = ({ client_id, grant_types, scope }, json) =>
    app.manage("PUT", `/clients/${client_id}`, { client_name: "A client", grant_types, scope, ...json });
  for (const [about, end] of Object.entries(ofClients)) {
    test(`a client: ${about}`, async (context) => {
      const client = await app.client({ roles: ["editor", "viewer"] });
      const [one, two] = [await app.grant(client), await app.grant(client)];
      assert.equal(await rolesOf(app, one.access_token), "editor,viewer");
      assertStatus(await app.call(two.access_token), 200);
      await end(client);
      const taken = await Promise.all([one, two].map(({ access_token }) => untilRefused(app, access_token, WITHIN)));
      context.diagnostic(`refused after ${taken.map(Math.round).join(" and ")} ms`);
      const again = await app.refresh(client, one.refresh_token);
      if (about !== "another role") return assertError(again, "invalid_client");
      assertError(again, "invalid_grant");
      assert.equal(await rolesOf(app, (await app.grant(client)).access_token), "viewer");
    });
  }

  test("a revocation of the refresh token or of the access token", async (context) => {
    const client = await app.client();
    for (const name of ["refresh_token", "access_token"]) {
      const tokens = await app.grant(client);
      assertStatus(await app.call(tokens.access_token), 200);
      assertStatus(await app.revoke({ token: tokens[name], token_type_hint: "unheard", ...client.who }), 200);
      context.diagnostic(`${name}: refused after ${Math.round(await untilRefused(app, tokens.access_token, WITHIN))} ms`);
    }
  });

  test("grain 0: a revocation counts with the next request", async () => {
    const client = await exact.client();
    for (let n = 0; n < 5; n += 1) {
      const tokens = await exact.grant(client);
      assertStatus(await exact.call(tokens.access_token), 200);
      assertStatus(await exact.revoke({ token: tokens.access_token, ...client.who }), 200);
      assert.equal((await exact.call(tokens.access_token)).status, 401);
    }
  });

  test("another secret with an overlap: both count, then the new one only", async () => {
    const client = await app.client();
    const tokens = await app.grant(client);
    const next = withWho(client, assertStatus(await app.manage("POST", `/clients/${client.client_id}/secret`, { overlap_seconds: 3 }), 200).client_secret);
    const from = Date.now();
    await app.grant(client);
    await app.grant(next);
    assert.equal(assertStatus(await app.manage("GET", `/clients/${client.client_id}`), 200).secrets.length, 2);
    await sleep(3200 - (Date.now() - from));
    assertError(await app.token({ grant_type: "client_credentials", ...client.who }), "invalid_client");
    await app.grant(next);
    assertStatus(await app.call(tokens.access_token), 200, "a session that the old one opened lives on");
    assertStatus(await app.refresh(next, tokens.refresh_token), 200);
  });

  test("RFC 7662: whoever is a resource server may ask about others' tokens, nobody else", async () => {
    const [owner, stranger, api] = [await app.client(), await app.client(), await app.client({ introspect: true })];
    const { access_token: token, refresh_token } = await app.grant(owner);
    for (const [who, active] of [[owner, true], [api, true], [stranger, false]]) {
      assert.equal(assertStatus(await app.introspect({ token, ...who.who }), 200).active, active);
    }
    assert.deepEqual(assertStatus(await app.introspect({ token: refresh_token, ...api.who }), 200), { active: false });
    assertStatus(await app.revoke({ token: refresh_token, ...owner.who }), 200);
    assert.deepEqual(assertStatus(await app.introspect({ token, ...api.who }), 200), { active: false });
  });

  test("RFC 8707: a token for one resource passes at its routes and nowhere else", async () => {
    const client = await app.client();
    const [shelf, store] = [`${HERE}/shelf`, `${HERE}/store`];
    const { access_token: token, refresh_token } = await app.grant(client, { resource: shelf });
    assert.equal(decodeJwt(token).aud, shelf);
    assert.equal((await app.call(token, "/shelf/x")).status, 404, "the upstream has no such page");
    assert.equal((await app.call(token, "/store/x")).status, 401);
    const everywhere = await app.grant(client);
    for (const path of ["/shelf/x", "/store/x"]) assert.equal((await app.call(everywhere.access_token, path)).status, 404);
    assertError(await app.refresh(client, refresh_token, { resource: store }), "invalid_target");
    assertError(await app.token({ grant_type: "client_credentials", resource: "https://api.example/unknown", ...client.who }), "invalid_target");
    const next = assertStatus(await app.refresh(client, refresh_token, { resource: shelf }), 200);
    assert.equal((await app.call(next.access_token, "/store/x")).status, 401);
    const both = new URLSearchParams({ grant_type: "client_credentials", ...client.who });
    for (const resource of [shelf, store]) both.append("resource", resource);
    assert.deepEqual(decodeJwt(assertStatus(await app.token(both), 200).access_token).aud, [shelf, store]);
  });

  test("a client's own lifetimes count where they are shorter", async () => {
    const client = await app.client({ access_token_seconds: 3, refresh_token_seconds: 4, session_seconds: 60 });
    const tokens = await app.grant(client);
    const { iat, exp } = decodeJwt(tokens.access_token);
    assert.deepEqual([tokens.expires_in, exp - iat], [3, 3]);
    const long = await app.grant(await app.client({ access_token_seconds: 80_000 }));
    assert.equal(long.expires_in, 3600);
    const idle = await app.client({ idle_seconds: 2 });
    const [used, left] = [await app.grant(idle), await app.grant(idle)];
    assert.equal(decodeJwt(used.access_token).idle, 2);
    const until = Date.now() + 5000;
    while (Date.now() < until) {
      assertStatus(await app.call(used.access_token), 200);
      await sleep(500);
    }
    assert.equal((await app.call(left.access_token)).status, 401, "idle");
    assertError(await app.refresh(idle, left.refresh_token), "invalid_grant");
    assertError(await app.refresh(client, tokens.refresh_token), "invalid_grant", 400, "too old");
    const brief = await app.client({ session_seconds: 2 });
    const last = await app.grant(brief);
    assert.ok(last.expires_in <= 2);
    await sleep(2500);
    assertError(await app.refresh(brief, last.refresh_token), "invalid_grant", 400, "the session is over");
    assertError(await app.token({ grant_type: "client_credentials", ...(await app.client({ expires_at: seconds() - 5 })).who }), "invalid_client");
  });

  test("how often a client calls which route shows, and when its secret was last used", async () => {
    const client = await app.client();
    const tokens = await app.grant(client);
    const from = seconds() - 1;
    for (let n = 0; n < 7; n += 1) assertStatus(await app.call(tokens.access_token, n % 2 ? "/orders" : "/echo/app/x"), 200);
    await sleep(GRAIN + 200);
    assertStatus(await app.call(tokens.access_token), 200); // tells what was counted, after its answer
    await sleep(GRAIN);
    const seen = assertStatus(await app.manage("GET", `/clients/${client.client_id}`), 200);
    assert.deepEqual(seen.usage.map(({ route, count }) => [route, count]), [["echo-app", 5], ["orders", 3]]);
    for (const { first_at, last_at } of seen.usage) assert.ok(from <= first_at && first_at <= last_at && last_at <= seconds() + 1);
    assert.equal(seen.live_sessions, 1);
    assert.equal(seen.secrets.length, 1);
    assert.ok(seen.secrets[0].last_used_at >= from - 2);
    await app.revoke({ token: tokens.access_token, ...client.who });
    assert.equal(assertStatus(await app.manage("GET", `/clients/${client.client_id}`), 200).live_sessions, 0);
  });

  test("attack 74: cut-offs: a revocation reaches the edge through KV, and no principal is asked for a request", async (context) => {
    const client = await cutoff.client();
    const [kept, tokens] = [await cutoff.grant(client), await cutoff.grant(client)];
    assertStatus(await cutoff.call(tokens.access_token), 200);
    assertStatus(await cutoff.call(kept.access_token), 200);
    const before = assertStatus(await cutoff.manage("GET", `/clients/${client.client_id}`), 200).usage;
    assertStatus(await cutoff.revoke({ token: tokens.refresh_token, ...client.who }), 200);
    assertError(await cutoff.refresh(client, tokens.refresh_token), "invalid_grant", 400, "the principal knows at once");
    // The isolate remembers for 30 s what it has read; KV here is as fast as its disk.
    const taken = await untilRefused(cutoff, tokens.access_token, 30_000 + MARGIN);
    context.diagnostic(`refused after ${Math.round(taken)} ms`);
    assertStatus(await cutoff.call(kept.access_token), 200, "another session");
    const after = assertStatus(await cutoff.manage("GET", `/clients/${client.client_id}`), 200).usage;
    assert.deepEqual([before, after], [[], []], "nobody was told of more than a thousand calls");
  });
});

endsWithoutLeaks();
