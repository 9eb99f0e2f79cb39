// Idle expiry against the real clock: never early, at most two grains late, and for good.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { accessToken, assertInvalidToken, assertPassed, call, register } from "./support/client.mjs";
import { URL_HERE, endsWithoutLeaks, startInstance } from "./support/instance.mjs";

const server = await startInstance("sessions");
const [brief, strict] = await Promise.all([register(server, "brief"), register(server, "strict")]);

// As tollgate.json has them, in milliseconds.
const BRIEF = { idle: 4000, grain: 1000 };
const STRICT = { idle: 3000, grain: 0 };
// For the way of a request.
const MARGIN = 500;

/** What a proxy says of the request that it asks about. */
const asked = (path) => ({ "x-original-method": "GET", "x-original-uri": path, "x-original-host": "api.example.com" });

const use = (token, realm) => call(token, `${URL_HERE}/echo/${realm}/x`);
const briefToken = () => accessToken(brief);
const strictToken = () => accessToken(strict);

async function assertDead(token, realm) {
  assertInvalidToken(await use(token, realm));
  await sleep(1000);
  assertInvalidToken(await use(token, realm), "it stays dead");
  assertInvalidToken(await use(token, realm), "and asking does not wake it");
}

describe("idle expiry", { concurrency: true }, () => {
  test("a token that is used every second outlives its idle time", async () => {
    const token = await briefToken();
    const until = Date.now() + BRIEF.idle + 2 * BRIEF.grain + 3000;
    while (Date.now() < until) {
      assertPassed(await use(token, "brief"));
      await sleep(1000);
    }
    await sleep(BRIEF.idle + 2 * BRIEF.grain + MARGIN - 1000);
    await assertDead(token, "brief");
  });

  test("a token that is used in bursts within the grain outlives its idle time", async () => {
    const token = await briefToken();
    const until = Date.now() + BRIEF.idle + 2 * BRIEF.grain + 2000;
    while (Date.now() < until) {
      const answers = await Promise.all(Array.from({ length: 5 }, () => use(token, "brief")));
      answers.forEach(assertPassed);
      await sleep(300);
    }
  });

  test("never early: a token that rests for just less than its idle time passes, time and again", async () => {
    const token = await briefToken();
    for (let times = 0; times < 3; times += 1) {
      await sleep(BRIEF.idle - MARGIN);
      assertPassed(await use(token, "brief"));
    }
  });

  test("at most two grains late: a token that was never used is dead after its idle time and two grains", async () => {
    const token = await briefToken();
    await sleep(BRIEF.idle + 2 * BRIEF.grain + MARGIN);
    await assertDead(token, "brief");
  });

  test("a request that is refused keeps nothing alive", async () => {
    const token = await briefToken();
    const until = Date.now() + BRIEF.idle + 2 * BRIEF.grain + MARGIN;
    const check = { headers: asked("/echo/brief-scoped/x") };
    while (Date.now() < until) {
      const refused = [call(token, `${URL_HERE}/echo/brief-scoped/x`), call(token, `${URL_HERE}/nowhere`), call(token, `${URL_HERE}/customers`)];
      const statuses = (await Promise.all([...refused, call(token, `${URL_HERE}/_tollgate/check`, check)])).map(({ status }) => status);
      assert.deepEqual(statuses, [403, 404, 401, 403]);
      await sleep(500);
    }
    await assertDead(token, "brief");
  });

  test("a proxy that asks uses the token as the gateway does", async () => {
    const token = await briefToken();
    const ask = () => call(token, `${URL_HERE}/_tollgate/check`, { headers: asked("/echo/brief/x") });
    for (let times = 0; times < 8; times += 1) {
      assert.equal((await ask()).status, 200);
      await sleep(1000);
    }
    assertPassed(await use(token, "brief"));
    await sleep(BRIEF.idle + 2 * BRIEF.grain + MARGIN);
    assertInvalidToken(await ask());
    await assertDead(token, "brief");
  });

  test("strict: a token passes until just before its idle time and is dead just after", async () => {
    const token = await strictToken();
    for (let times = 0; times < 3; times += 1) {
      await sleep(STRICT.idle - MARGIN);
      assertPassed(await use(token, "strict"));
    }
    await sleep(STRICT.idle + MARGIN);
    await assertDead(token, "strict");
  });

  test("strict: a token that was never used is dead just after its idle time", async () => {
    const token = await strictToken();
    await sleep(STRICT.idle + MARGIN);
    await assertDead(token, "strict");
  });

  test("sessions of one client end one by one: another token of it lives on", async () => {
    const [kept, left] = [await strictToken(), await strictToken()];
    for (let times = 0; times < 4; times += 1) {
      await sleep(1000);
      assertPassed(await use(kept, "strict"));
    }
    assertInvalidToken(await use(left, "strict"));
    assertPassed(await use(kept, "strict"));
  });

  test("a dead session does not keep its client from a new token", async () => {
    const token = await strictToken();
    await sleep(STRICT.idle + MARGIN);
    assertInvalidToken(await use(token, "strict"));
    assertPassed(await use(await strictToken(), "strict"));
  });
});

endsWithoutLeaks();
