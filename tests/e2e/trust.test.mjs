// Tokens with a good signature that are wrong all the same: by the wrong key, of the wrong kind, for somebody else, at the wrong time.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { SignJWT, decodeJwt, decodeProtectedHeader } from "jose";

import { accessToken, assertInvalidToken, assertPassed, call, register } from "./support/client.mjs";
import { AUDIENCE, ISSUER, KID, b64, claims, forge, forgeFrom, forgeText, header, privateKey, seconds } from "./support/forge.mjs";
import { URL_HERE, endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { TARGET, each, refuser, withClaim, withClaimText, withHeader, withHeaderText } from "./support/refusals.mjs";
import { startUpstream } from "./support/upstream.mjs";

const upstream = await startUpstream();
const assertAllRefused = refuser(upstream);
const server = await startInstance("trust");
const client = await register(server, "test");
const token = await accessToken(client);
const sandboxToken = await accessToken(await register(server, "sandbox"));
const { kid: realmKid } = decodeProtectedHeader(token);

test("the tokens that the others are made from pass", async () => {
  assertPassed(await call(token, TARGET));
  assertPassed(await call(await forge(), TARGET));
  assertPassed(await call(forgeFrom((head) => head, (payload) => payload), TARGET));
  assert.equal(upstream.requests.at(-1).headers["x-tollgate-issuer"], ISSUER);
  assert.equal(upstream.requests.at(-1).headers["x-tollgate-subject"], "user|7");
});

describe("the key", () => {
  // Whatever a header points at must not be fetched.
  let fetched = 0;
  const bait = createServer((_request, response) => response.end(String((fetched += 1))));
  let lure;
  before(async () => {
    await new Promise((resolve) => bait.listen(0, "127.0.0.1", resolve));
    lure = `http://127.0.0.1:${bait.address().port}`;
  });
  after(() => bait.close());

  test("attack_16 to 19 a key that the token brings or points at counts for nothing, and is not fetched", async () => {
    const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const jwk = own.publicKey.export({ format: "jwk" });
    const pointers = [
      { jwk },
      { jwk: { ...jwk, kid: KID } },
      { jku: `${lure}/jwks` },
      { x5u: `${lure}/cert` },
      { x5c: [own.publicKey.export({ format: "der", type: "spki" }).toString("base64")] },
      { x5t: "AAAA" },
      { kid: `${lure}/jwks` },
    ];
    const made = pointers.flatMap((pointer) => [undefined, KID, "unknown"].map((kid) => ({ kid, ...pointer })));
    await assertAllRefused(each(made, (changes) => forge({ header: changes, key: own.privateKey })));
    const asRealm = { ...decodeJwt(token) };
    const sign = (changes) => new SignJWT(asRealm).setProtectedHeader(header({ kid: realmKid, ...changes })).sign(own.privateKey);
    await assertAllRefused(each(pointers, sign));
    assert.equal(fetched, 0);
  });

  test("attack_20 a kid of any kind names a key or nothing", async () => {
    const paths = ["../../dev/null", "' UNION SELECT 'x", "|sleep 5", "jwks:test", "client:test:x", "/"];
    const kids = [...paths, "__proto__", "constructor", "ключ", "😀", "a\r\nb"];
    await assertAllRefused([
      ...withHeader("kid", [...kids, "", " ", `${KID} `, KID.toUpperCase(), "x".repeat(129), "x".repeat(257), "x".repeat(6000)]),
      ...withHeaderText("kid", ["7", "null", '["foreign-1"]', "{}", '"foreign-1\\u0000"', '"\\u0000"']),
    ]);
  });

  const madeUp = (genuine, name) => {
    const [, payload, signature] = genuine.split(".");
    return `${b64(JSON.stringify(header({ kid: name })))}.${payload}.${signature}`;
  };

  test("attack_21 unknown kids in parallel are refused like one alone, and known ones pass meanwhile", async () => {
    const at = `${URL_HERE}/echo/sandbox/x`;
    const all = async (from, count) => {
      const tokens = Array.from({ length: count }, (_, n) => madeUp(sandboxToken, `made-up-${from + n}`));
      const answers = await Promise.all([...tokens, sandboxToken].map((token) => call(token, at)));
      assertPassed(answers.pop());
      for (const answer of answers) assertInvalidToken(answer);
    };
    // The keys are known, and nobody has searched for another: one request searches, the others wait for what it finds.
    assertPassed(await call(sandboxToken, at));
    await all(0, 8);
    // A search was answered: however many come now, nobody is asked.
    await all(8, 80);
  });

  test("attack_21 forty unknown kids at once are refused as such, and a known one passes beside them", async () => {
    const at = `${URL_HERE}/echo/fresh/x`;
    const fresh = await accessToken(await register(server, "fresh"));
    assertPassed(await call(fresh, at));
    const names = Array.from({ length: 40 }, (_, n) => `made-up-${n}`);
    const answers = await Promise.all([...names.map((name) => madeUp(fresh, name)), fresh].map((token) => call(token, at)));
    assertPassed(answers.pop());
    answers.forEach((answer) => assertInvalidToken(answer));
  });

  test("attack_22 without a kid the issuer's only key is meant", async () => {
    assertPassed(await call(await forge({ header: { kid: undefined } }), TARGET));
  });

  test("attack_07 and 48 a key verifies for its own issuer only, whatever kid and iss say", async () => {
    // With the realms' own keys, as nobody but the operator could: a genuine signature by the wrong one.
    const keys = server.openKeyrings();
    const [own, other] = ["test", "sandbox"].map((name) => keys.find(({ realm }) => realm === name));
    const signed = (payload, kid, key) => new SignJWT(payload).setProtectedHeader(header({ kid })).sign(key);
    const [asTest, asSandbox] = [decodeJwt(token), decodeJwt(sandboxToken)];
    assertPassed(await call(await signed(asTest, own.kid, own.privateKey), TARGET));
    await assertAllRefused([
      ["iss test by sandbox's key and kid", signed(asTest, other.kid, other.privateKey)],
      ["iss test by sandbox's key under test's kid", signed(asTest, own.kid, other.privateKey)],
      ["iss test by sandbox's key without kid", signed(asTest, undefined, other.privateKey)],
      ["iss test by the foreign key", signed(asTest, KID, privateKey)],
      ["iss test by the foreign key under test's kid", signed(asTest, own.kid, privateKey)],
      ["foreign iss by test's key and kid", signed(claims(), own.kid, own.privateKey)],
      ["foreign iss by test's key under the foreign kid", signed(claims(), KID, own.privateKey)],
    ]);
    const atSandbox = `${URL_HERE}/echo/sandbox/x`;
    assertPassed(await call(sandboxToken, atSandbox));
    for (const made of [await signed(asSandbox, own.kid, own.privateKey), await signed(asSandbox, other.kid, own.privateKey), token]) {
      assertInvalidToken(await call(made, atSandbox));
    }
  });

  test("a genuine token of another realm is refused where that realm is not named", async () => {
    await assertAllRefused([["sandbox", sandboxToken]]);
    assertInvalidToken(await call(await forge(), `${URL_HERE}/customers`), "nor the foreign issuer's");
  });

  test("a genuine signature without a session of ours, or with one that was never opened, is refused", async () => {
    const { kid, privateKey: key } = server.openKeyrings().find(({ realm }) => realm === "test");
    const { sid, ...rest } = decodeJwt(token);
    const signed = (payload) => new SignJWT(payload).setProtectedHeader(header({ kid })).sign(key);
    const unknown = sid.slice(0, -22) + b64(Buffer.alloc(16, 7));
    await assertAllRefused([
      ["no sid", signed(rest)],
      ["a sid that is none", signed({ ...rest, sid: "s" })],
      ["a sid of another type", signed({ ...rest, sid: 7 })],
      ["a session that was never opened", signed({ ...rest, sid: unknown })],
    ]);
  });
});

describe("the header", () => {
  test("attack_49 only typ at+jwt is an access token", async () => {
    await assertAllRefused([
      ...withHeader("typ", [undefined, "JWT", "jwt", "dpop+jwt", "logout+jwt", "secevent+jwt"]),
      ...withHeader("typ", ["", "at-jwt", "at+jwt ", "at+jwt;v=1", "text/at+jwt"]),
      ...withHeaderText("typ", ["null", "7", '["at+jwt"]', '"at+jwt\\u0000"']),
    ]);
    for (const typ of ["application/at+jwt", "AT+JWT"]) assertPassed(await call(await forge({ header: { typ } }), TARGET));
  });

  test("attack_25 and 26 any crit, and any b64, is refused", async () => {
    const named = await forge({ header: { crit: ["urn:x"], "urn:x": true }, crit: { "urn:x": true } });
    await assertAllRefused([
      ["a name that nobody knows", named],
      ...withHeaderText("crit", ['["exp"]', "[]", "null", '"exp"', "{}", '["alg"]', '["urn:x"]', '["b64"]', '["exp","exp"]']),
      ...withHeaderText("b64", ["false", "true", '"false"']),
    ]);
  });

  test("attack_31 to 34 header and claims are one strict JSON object each", async () => {
    const same = (text) => text;
    const broken = [
      (text) => text.replace("{", '{"alg":"none",'),
      (text) => text.replace("{", '{"\\u0061lg":"HS256",'),
      (text) => `${text}x`,
      (text) => text + text,
      (text) => `\ufeff${text}`,
      (text) => `${text}\u0000`,
      (text) => `/**/${text}`,
      (text) => text.replaceAll('"', "'"),
      (text) => text.replace("}", ",}"),
      (text) => `[${text}]`,
      () => "",
      () => "null",
      () => "7",
      () => '"x"',
      () => "[]",
      (text) => text.replace("}", ',"x":"\\ud800"}'),
      (text) => text.replace("}", ',"x":NaN}'),
      (text) => text.replace("}", `,"x":${"[".repeat(4000)}${"]".repeat(4000)}}`),
    ];
    const repeated = ["sub", "exp", "aud", "iss", "scope"].map((name) => (text) => text.replace("{", `{"${name}":"x",`));
    const nested = (text) => text.replace("}", ',"x":{"a":1,"a":2}}');
    const bytes = Buffer.concat([Buffer.from(JSON.stringify(claims()).slice(0, -1)), Buffer.from(',"x":"\xff"}', "latin1")]);
    await assertAllRefused([
      ...broken.map((change) => [`header ${change}`, forgeFrom(change, same)]),
      ...[...broken.slice(2), ...repeated, nested].map((change) => [`claims ${change}`, forgeFrom(same, change)]),
      ["not UTF-8", forgeText(JSON.stringify(header()), bytes)],
    ]);
  });
});

describe("the claims", () => {
  const now = seconds();

  test("attack_43 and 44 exp that is missing, of another type or past is refused", async () => {
    await assertAllRefused([
      ...withClaim("exp", [undefined, "9999999999", null, [now + 300], true, {}, -1, 0, 1e18, now - 6, now - 3600]),
      ...withClaimText("exp", ["1e400", "9223372036854775808", "-0.5", '"NaN"']),
    ]);
  });

  test("attack_45 nbf and iat in the future, or of another type, are refused", async () => {
    const wrong = ["1", null, [1], false, now + 3600, 1e18, -1];
    await assertAllRefused([...withClaim("nbf", wrong), ...withClaim("iat", [...wrong, undefined])]);
    assertPassed(await call(await forge({ claims: { nbf: now - 1 } }), TARGET));
  });

  test("attack_46 aud that does not name us exactly is refused", async () => {
    const spelt = [`${AUDIENCE}/`, `${AUDIENCE}.evil`, AUDIENCE.toUpperCase(), AUDIENCE.slice(0, -1), ` ${AUDIENCE}`];
    const near = [...spelt, "https://", "", "*", URL_HERE];
    await assertAllRefused(withClaim("aud", [undefined, null, 7, {}, [], [7], [[AUDIENCE]], [AUDIENCE, 7], { [AUDIENCE]: 1 }, near, ...near]));
    assertPassed(await call(await forge({ claims: { aud: ["https://other.example", AUDIENCE] } }), TARGET));
  });

  test("attack_47 iss that is not one exact string of ours is refused", async () => {
    const spelt = [`${ISSUER}/`, `${ISSUER}:443`, ISSUER.toUpperCase(), `${ISSUER}.evil`, ISSUER.slice(0, -1), ` ${ISSUER}`];
    const near = [...spelt, "https://evil.example", ""];
    const ours = [server.realms.test, server.realms.sandbox, `${server.realms.test}/`];
    await assertAllRefused(withClaim("iss", [undefined, null, 7, {}, [ISSUER], [ISSUER, "x"], near, ...near, ...ours]));
  });

  test("RFC 9068 section 2.2: a token that lacks a claim, or has it of another type, is refused", async () => {
    for (const name of ["sub", "client_id", "jti"]) await assertAllRefused(withClaim(name, [undefined, null, 7, ["x"], {}]));
    await assertAllRefused(withClaim("sub", [""]));
  });

  test("attack_50 scope is one string, or one array, of whole names", async () => {
    const types = [["orders:read x"], [7], [""], null, 7, { "orders:read": true }];
    await assertAllRefused(withClaim("scope", [...types, "orders:read  x", " orders:read", "orders:read\n", 'a"b']));
    for (const scope of [undefined, "", "orders", "orders:readonly", "orders:read2", "ORDERS:READ", "orders:read,customers:read"]) {
      const answer = await call(await forge({ claims: { scope } }), TARGET);
      assert.equal(answer.status, 403, scope);
    }
    const scp = await call(await forge({ claims: { scope: undefined, scp: ["orders:read"], roles: ["orders:read"] } }), TARGET);
    assert.equal(scp.status, 403, "nor does another claim grant");
  });

  test("another issuer's sid and idle are its own business: they are not read", async () => {
    for (const own of [{ sid: 7 }, { sid: null, idle: "x" }, { sid: ["s"], idle: {} }, { sid: "s", idle: -1 }]) {
      assertPassed(await call(await forge({ claims: own }), TARGET));
    }
  });

  test("attack_51 a token that is bound to a key is refused as a bearer token", async () => {
    const thumbprint = b64(Buffer.alloc(32, 1));
    await assertAllRefused(withClaim("cnf", [{ jkt: thumbprint }, { "x5t#S256": thumbprint }, { jwk: {} }, {}, null, "x", []]));
  });

  test("attack_53 a token that is wrong in many ways gets the one answer, whichever is found first", async () => {
    const answers = [];
    const expired = { exp: now - 3600 };
    const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
    for (const made of [
      await forge({ claims: expired }),
      await forge({ claims: expired, key: other }),
      await forge({ claims: { ...expired, aud: "x" }, header: { typ: "JWT" }, key: other }),
      "garbage",
      sandboxToken,
    ]) {
      const { status, headers, text } = await call(made, TARGET);
      const kept = [...headers].filter(([name]) => !["x-request-id", "date"].includes(name));
      answers.push(JSON.stringify([status, kept, text]));
    }
    assert.equal(new Set(answers).size, 1);
  });
});

test("attack_42 after all of this the instance still answers", async () => {
  assertPassed(await call(token, TARGET));
  assertPassed(await call(await forge(), TARGET));
});

endsWithoutLeaks();
