// Codes and refresh tokens presented by many at once, or once too often: one session comes of them, and what leaks ends it.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeJwt } from "jose";

import { GRACE, GRAIN, REDIRECT, assertError, assertStatus, realmOf, startIssuer, times, untilRefused } from "./support/issuer.mjs";
import { endsWithoutLeaks } from "./support/instance.mjs";
import { remember } from "./support/secrets.mjs";

const MANY = 50;
// For the way of a request.
const MARGIN = 500;

const server = await startIssuer("races");
// Grains of one second, and of none.
const realms = [
  [realmOf(server, "app"), GRAIN],
  [realmOf(server, "exact"), 0],
];
const [[app]] = realms;
const user = await app.user();
const client = await app.app();

const statuses = (answers) => answers.map(({ status }) => status);
const sessionOf = (tokens) => decodeJwt(tokens.access_token).sid;

/** What the gate and the token endpoint say of tokens: none of them opens anything. */
async function assertNothingLives(realm, grain, client, tokens) {
  await sleep(2 * grain + MARGIN);
  for (const { access_token, refresh_token } of tokens) {
    assert.equal((await realm.call(access_token)).status, 401);
    assertError(await realm.refresh(client, refresh_token), "invalid_grant");
    const { body } = await realm.introspect({ token: refresh_token, ...client.who });
    if (client.client_secret) assert.deepEqual(body, { active: false });
  }
}

describe("codes", { concurrency: true }, () => {
  test("attack 61: fifty redemptions of one code at once: one gets tokens, the others invalid_grant", async () => {
    const form = await app.code(user, client);
    const answers = await times(MANY, () => app.token(form));
    const [right, ...none] = answers.filter(({ status }) => status === 200);
    assert.deepEqual(none, []);
    for (const answer of answers.filter((answer) => answer !== right)) assertError(answer, "invalid_grant");
    assertStatus(await app.call(right.body.access_token), 200, "requests that race are no theft");
    assertStatus(await app.refresh(client, right.body.refresh_token), 200);
  });

  test("attack 61: a code that is used again after the grace ends what it has issued", async () => {
    const form = await app.code(user, client);
    const tokens = assertStatus(await app.token(form), 200);
    const next = assertStatus(await app.refresh(client, tokens.refresh_token), 200);
    await sleep(GRACE + 1000);
    assertStatus(await app.call(next.access_token), 200);
    assertError(await app.token(form), "invalid_grant");
    await untilRefused(app, next.access_token, 2 * GRAIN + MARGIN);
    assertError(await app.refresh(client, next.refresh_token), "invalid_grant");
  });

  test("attack 61: a code of another client, redirect URI or verifier, or too old, is invalid_grant and stays whole", async () => {
    const form = await app.code(user, client);
    const other = await app.app();
    const confidential = await app.client({ grant_types: ["authorization_code"], redirect_uris: [REDIRECT] });
    const { redirect_uri: _uri, ...bare } = form;
    const { code_verifier: _verifier, ...downgraded } = form;
    for (const [about, wrong] of Object.entries({
      "another client": { ...form, ...other.who },
      "a confidential client": { ...form, ...confidential.who },
      "another redirect URI": { ...form, redirect_uri: `${REDIRECT}/` },
      "no redirect URI": bare,
      "another verifier": { ...form, code_verifier: remember("a code verifier", "v".repeat(43)) },
      "no verifier": downgraded,
      "an empty verifier": { ...form, code_verifier: "" },
      "a changed code": { ...form, code: `${form.code.slice(0, -8)}AAAAAAAA` },
      "no code of ours": { ...form, code: "x" },
    })) {
      assertError(await app.token(wrong), "invalid_grant", 400, about);
    }
    assertStatus(await app.token(form), 200);
    const brief = await app.code(user, client, { seconds: 1 });
    await sleep(1500);
    assertError(await app.token(brief), "invalid_grant", 400, "too old");
  });

  test("attack 61: another client that has the code ends nothing, however late", async () => {
    const form = await app.code(user, client);
    const tokens = assertStatus(await app.token(form), 200);
    const other = await app.app();
    await sleep(GRACE + 1000);
    assertError(await app.token({ ...form, ...other.who }), "invalid_grant");
    assertStatus(await app.refresh(client, tokens.refresh_token), 200);
  });
});

describe("refresh tokens", { concurrency: true }, () => {
  for (const [realm, grain] of realms) {
    test(`attack 62: fifty refreshes with one token at once get one and the same successor (grain ${grain})`, async () => {
      const own = await realm.client();
      const first = await realm.grant(own);
      const answers = await times(MANY, () => realm.refresh(own, first.refresh_token));
      assert.deepEqual(new Set(statuses(answers)), new Set([200]));
      assert.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 1);
      assert.deepEqual(new Set(answers.map(({ body }) => sessionOf(body))), new Set([sessionOf(first)]));
      const [{ body: next }] = answers;
      const again = assertStatus(await realm.refresh(own, first.refresh_token), 200, "within the grace");
      assert.equal(again.refresh_token, next.refresh_token);
      await sleep(GRACE + 1000);
      assertStatus(await realm.call(next.access_token), 200);
      assertError(await realm.refresh(own, first.refresh_token), "invalid_grant", 400, "after the grace");
      await assertNothingLives(realm, grain, own, [next]);
    });

    test(`attack 62: a refresh that races a revocation leaves nothing alive (grain ${grain})`, async () => {
      const own = await realm.client();
      const rounds = await times(8, async (round) => {
        const first = await realm.grant(own);
        const refreshed = [];
        const answered = [];
        const keep = async (token) => {
          const answer = realm.refresh(own, token);
          answered.push(answer);
          const { status, body } = await answer;
          if (status === 200) refreshed.push(body);
          return body;
        };
        const chain = async () => {
          let token = first.refresh_token;
          for (let n = 0; n < 4 && token; n += 1) token = (await keep(token)).refresh_token;
        };
        // Some revoke by the refresh token, some by the access token.
        const token = round % 2 ? first.refresh_token : first.access_token;
        const revoke = async () => {
          // Half of them begin with the refreshes, and half in the middle of them, however slow the machine is.
          if (round >= 4) await answered[0];
          await sleep((round % 4) * 40);
          assertStatus(await realm.revoke({ token, ...own.who }), 200);
        };
        await Promise.all([chain(), chain(), revoke(), keep(first.refresh_token)]);
        return [first, ...refreshed];
      });
      assert.ok(rounds.some((tokens) => tokens.length > 1), "some refreshes came first");
      await assertNothingLives(realm, grain, own, rounds.flat());
    });

    test(`attack 62: a refresh that races another role leaves nothing alive (grain ${grain})`, async () => {
      const rounds = await times(6, async (round) => {
        const [person, theirs] = [await realm.user(), await realm.app()];
        const tokens = [await realm.signIn(person, theirs)];
        const chain = async () => {
          for (let n = 0; n < 4; n += 1) {
            const { status, body } = await realm.refresh(theirs, tokens.at(-1).refresh_token);
            if (status !== 200) return assert.equal(body.error, "invalid_grant");
            tokens.push(body);
          }
        };
        const change = async () => (await sleep(round * 4), assertStatus(await realm.manage("PATCH", `/users/${person.id}`, { roles: ["viewer"] }), 200));
        await Promise.all([chain(), change()]);
        return { theirs, tokens };
      });
      for (const { theirs, tokens } of rounds.slice(0, 1)) await assertNothingLives(realm, grain, theirs, tokens);
      for (const { theirs, tokens } of rounds.slice(1)) await assertNothingLives(realm, 0, theirs, tokens.slice(-2));
    });
  }

  test("attack 62: a chain of refreshes; another client's, wider scopes and a revoked one are refused and spend nothing", async () => {
    const own = await app.client({ scope: "orders:read openid" });
    const first = await app.grant(own, { scope: "orders:read" });
    const second = assertStatus(await app.refresh(own, first.refresh_token), 200);
    const other = await app.client();
    assertError(await app.refresh(other, second.refresh_token), "invalid_grant");
    assertError(await app.refresh(own, second.refresh_token, { scope: "orders:read openid" }), "invalid_scope");
    assertError(await app.refresh(own, second.refresh_token, { scope: "orders:admin" }), "invalid_scope");
    assertError(await app.refresh(own, `${second.refresh_token.slice(0, -8)}AAAAAAAA`), "invalid_grant");
    const third = assertStatus(await app.refresh(own, second.refresh_token, { scope: "orders:read" }), 200);
    const fourth = assertStatus(await app.refresh(own, third.refresh_token), 200);
    assertError(await app.refresh(own, second.refresh_token), "invalid_grant", 400, "its successor was used, so it arrived");
    assertStatus(await app.revoke({ token: fourth.refresh_token, ...own.who }), 200);
    assertError(await app.refresh(own, fourth.refresh_token), "invalid_grant");
    await untilRefused(app, fourth.access_token, 2 * GRAIN + MARGIN);
  });

  test("attack 62: a public client's refresh token turns with each use", async () => {
    const tokens = await app.signIn(user, client);
    const next = assertStatus(await app.refresh(client, tokens.refresh_token), 200);
    assert.notEqual(next.refresh_token, tokens.refresh_token);
    await sleep(GRACE + 1000);
    assertError(await app.refresh(client, tokens.refresh_token), "invalid_grant");
    assertError(await app.refresh(client, next.refresh_token), "invalid_grant", 400, "nobody can tell the thief from the owner");
  });
});

endsWithoutLeaks();
