// Tokens that were changed on the way, and signatures by no key at all. See trust.test.mjs for what is signed and still wrong.
import assert from "node:assert/strict";
import { createPublicKey } from "node:crypto";
import { describe, test } from "node:test";
import { SignJWT, UnsecuredJWT, createRemoteJWKSet, decodeJwt, exportSPKI } from "jose";

import { accessToken, assertInvalidToken, assertPassed, call, register } from "./support/client.mjs";
import { ISSUER, b64, claims, forge, forgeFrom, forgeText, header, publicKey } from "./support/forge.mjs";
import { endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { raw } from "./support/raw.mjs";
import { TARGET, refuser, withHeaderText } from "./support/refusals.mjs";
import { startUpstream } from "./support/upstream.mjs";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

const upstream = await startUpstream();
const assertAllRefused = refuser(upstream);
const server = await startInstance("tampering");
const client = await register(server, "test");
const token = await accessToken(client);
const sandboxToken = await accessToken(await register(server, "sandbox"));
const realmKeys = createRemoteJWKSet(new URL(client.as.jwks_uri));
await realmKeys.reload();
const [realmJwk] = realmKeys.jwks().keys;

test("the tokens that the others are made from pass", async () => {
  assertPassed(await call(token, TARGET));
  assertPassed(await call(await forge(), TARGET));
  assertPassed(await call(forgeFrom((head) => head, (payload) => payload), TARGET));
  assert.equal(upstream.requests.at(-1).headers["x-tollgate-issuer"], ISSUER);
  assert.equal(upstream.requests.at(-1).headers["x-tollgate-subject"], "user|7");
});

describe("the bytes", () => {
  test("attack_15 every character of a token changed, one at a time, is refused", async () => {
    const changed = [...token].flatMap((character, at) => {
      if (character === ".") return [];
      // The lowest bit: in a last character it may be padding, which must be zero.
      const other = ALPHABET[ALPHABET.indexOf(character) ^ 1];
      return [[`character ${at}`, token.slice(0, at) + other + token.slice(at + 1)]];
    });
    assert.equal(changed.length, token.length - 2);
    await assertAllRefused(changed);
  });

  test("attack_15 every byte of header, payload and signature changed, one at a time, is refused", async () => {
    const parts = token.split(".").map((part) => Buffer.from(part, "base64url"));
    const changed = parts.flatMap((part, which) =>
      [...part].map((_, at) => {
        const other = Buffer.from(part);
        other[at] ^= 1 << at % 8;
        return [`part ${which} byte ${at}`, parts.map((same, n) => b64(n === which ? other : same)).join(".")];
      }),
    );
    await assertAllRefused(changed);
  });

  test("attack_36 every other last character of the signature is refused, also where it decodes to the same bytes", async () => {
    const others = [...ALPHABET].filter((character) => character !== token.at(-1));
    await assertAllRefused(others.map((character) => [character, token.slice(0, -1) + character]));
    for (const part of [0, 1]) {
      const pieces = token.split(".");
      const spellings = [...ALPHABET].map((character) => pieces[part].slice(0, -1) + character).filter((text) => text !== pieces[part]);
      await assertAllRefused(spellings.map((text) => [text.slice(-1), pieces.with(part, text).join(".")]));
    }
  });

  test("attack_15 the parts of two genuine tokens do not mix", async () => {
    const [one, two] = [token.split("."), (await accessToken(client)).split(".")];
    await assertAllRefused([
      ["signature of another token", [one[0], one[1], two[2]].join(".")],
      ["payload of another token", [one[0], two[1], one[2]].join(".")],
      ["header of another realm", [sandboxToken.split(".")[0], one[1], one[2]].join(".")],
    ]);
  });

  test("attack_28 to 30 anything but three parts is refused", async () => {
    const [head, payload, signature] = token.split(".");
    await assertAllRefused([
      ["no signature", `${head}.${payload}`],
      ["one part", head],
      ["four parts", `${token}.${signature}`],
      ["five parts", `${head}.${payload}.${signature}.${head}.${payload}`],
      ["six parts", `${token}.${token}`],
      ["a dot before", `.${token}`],
      ["a dot behind", `${token}.`],
      ["no header", `.${payload}.${signature}`],
      ["no payload", `${head}..${signature}`],
      ["dots only", "..".padEnd(10_000, ".")],
    ]);
    // RFC 7515 section 7.2: the JSON serialisation holds what a b64token cannot.
    const json = JSON.stringify({ protected: head, payload, signature });
    for (const text of [json, JSON.stringify({ payload, signatures: [{ protected: head, signature }] })]) {
      assert.equal((await raw("/counted/x", { headers: [`Authorization: Bearer ${text}`] })).status, 400);
    }
  });

  test("attack_36 base64url has one spelling: no padding, no other alphabet", async () => {
    const [head, payload, signature] = token.split(".");
    await assertAllRefused([
      ["padded", `${token}==`],
      ["padded inside", `${head}=.${payload}.${signature}`],
      ["the other alphabet", Buffer.from(signature, "base64url").toString("base64").replace(/^/, `${head}.${payload}.`)],
      ["a sign of the other alphabet", `${head}.${payload}.+${signature.slice(1)}`],
      ["a tilde", `${head}.${payload}.~${signature.slice(1)}`],
    ]);
  });

  test("attack_38 a token of more than 16 KiB is refused, genuine or not", async () => {
    const long = await forge({ claims: { note: "x".repeat(16 * 1024) } });
    await assertAllRefused([
      ["genuine", long],
      ["dots", ".".repeat(20_000)],
      ["letters", "a".repeat(20_000)],
    ]);
    assertPassed(await call(await forge({ claims: { note: "x".repeat(8 * 1024) } }), TARGET));
  });
});

describe("the algorithm", () => {
  test("attack_01 alg none is refused in every spelling, with a signature and without", async () => {
    const unsecured = new UnsecuredJWT(claims()).encode();
    const spelt = ["none", "None", "NONE", "nOnE", "none ", " none"].flatMap((alg) => {
      const input = `${b64(JSON.stringify(header({ alg })))}.${b64(JSON.stringify(claims()))}`;
      return [
        [`${alg}, empty`, `${input}.`],
        [`${alg}, kept`, `${input}.${token.split(".")[2]}`],
        [`${alg}, genuine`, forgeText(JSON.stringify(header({ alg })), JSON.stringify(claims()))],
      ];
    });
    await assertAllRefused([["jose's own", unsecured], ...spelt]);
  });

  test("attack_02 an empty signature under a real alg is refused", async () => {
    const own = token.split(".").slice(0, 2).join(".");
    const theirs = (await forge()).split(".").slice(0, 2).join(".");
    await assertAllRefused([[own, `${own}.`], [theirs, `${theirs}.`], ["one byte", `${theirs}.AA`]]);
  });

  test("attack_03 alg missing, of another type, or not spelt exactly is refused", async () => {
    const types = ["null", "1", '["ES256"]', "{}", "true"];
    const names = ['""', '"es256"', '"ES256 "', '"ES256\\u0000"', '"ES384"', '"EdDSA"', '"RS256"', '"PS256"', '"HS256"'];
    const missing = forgeText(JSON.stringify(header({ alg: undefined })), JSON.stringify(claims()));
    await assertAllRefused([["missing", missing], ...withHeaderText("alg", [...types, ...names])]);
  });

  test("attack_04 and 05 HS256 keyed with a public key, in any encoding, is refused", async () => {
    const publicKeys = [
      [publicKey, header(), claims()],
      [createPublicKey({ key: realmJwk, format: "jwk" }), header({ kid: realmJwk.kid }), decodeJwt(token)],
    ];
    const made = [];
    for (const [key, head, payload] of publicKeys) {
      const jwk = key.export({ format: "jwk" });
      const point = Buffer.concat([Buffer.from(jwk.x, "base64url"), Buffer.from(jwk.y, "base64url")]);
      const pem = await exportSPKI(key);
      const { kid } = head;
      const secrets = {
        "SPKI PEM": pem,
        "SPKI PEM with a last line feed": `${pem}\n`,
        "SPKI PEM as Node writes it": key.export({ format: "pem", type: "spki" }),
        "SPKI DER": key.export({ format: "der", type: "spki" }),
        "JWK text": JSON.stringify(jwk),
        "JWK text as published": JSON.stringify({ kty: "EC", crv: "P-256", x: jwk.x, y: jwk.y, kid, alg: "ES256", use: "sig" }),
        "x and y": point,
        "uncompressed point": Buffer.concat([Buffer.from([4]), point]),
        "x alone": Buffer.from(jwk.x, "base64url"),
        "x as text": jwk.x,
        kid,
      };
      for (const [name, secret] of Object.entries(secrets)) {
        const bytes = typeof secret === "string" ? new TextEncoder().encode(secret) : new Uint8Array(secret);
        for (const alg of ["HS256", "HS384", "HS512"]) {
          made.push([`${alg} with ${name}`, new SignJWT(payload).setProtectedHeader({ ...head, alg }).sign(bytes)]);
        }
        // Said to be ES256, so that only the signature is of the wrong kind.
        const hs = await new SignJWT(payload).setProtectedHeader({ ...head, alg: "HS256" }).sign(bytes);
        made.push([`ES256 over an HMAC with ${name}`, [b64(JSON.stringify(head)), ...hs.split(".").slice(1)].join(".")]);
      }
    }
    await assertAllRefused(made);
  });

  test("attack_08 signatures of r and s from 0, 1, n - 1, n and p are refused", async () => {
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
    const numbers = [0n, 1n, 2n, n - 1n, n, n + 1n, p, 2n ** 256n - 1n];
    const [head, payload] = token.split(".");
    const text = (number) => number.toString(16).padStart(64, "0");
    const made = numbers.flatMap((r) => numbers.map((s) => [`${r} ${s}`, `${head}.${payload}.${b64(Buffer.from(text(r) + text(s), "hex"))}`]));
    await assertAllRefused(made);
  });

  test("attack_09 a signature in DER, or of another length than 64 bytes, is refused", async () => {
    const good = await forge();
    const [head, payload, signature] = good.split(".");
    const bytes = Buffer.from(signature, "base64url");
    const zero = Buffer.alloc(1);
    const resigned = (...parts) => `${head}.${payload}.${b64(Buffer.concat(parts))}`;
    await assertAllRefused([
      ["DER", forgeFrom((h) => h, (p) => p, { dsaEncoding: "der" })],
      ["a zero before", resigned(zero, bytes)],
      ["a zero behind", resigned(bytes, zero)],
      ["zeros before r and s", resigned(zero, bytes.subarray(0, 32), zero, bytes.subarray(32))],
      ["without the last byte", resigned(bytes.subarray(0, 63))],
      ["r alone", resigned(bytes.subarray(0, 32))],
      ["twice", resigned(bytes, bytes)],
      ["s before r", resigned(bytes.subarray(32), bytes.subarray(0, 32))],
    ]);
  });
});

test("attack_42 after all of this the instance still answers", async () => {
  assertPassed(await call(token, TARGET));
  assertPassed(await call(await forge(), TARGET));
});

endsWithoutLeaks();
