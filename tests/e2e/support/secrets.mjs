// What must never be seen: collected during a run, looked for at its end.
import assert from "node:assert/strict";
import { createDecipheriv, createPrivateKey } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";

const known = new Map();

/** Marks a value as secret and returns it. */
export function remember(kind, value) {
  known.set(value, kind);
  return value;
}

/** The signature alone is what makes a token worth stealing: the rest can be guessed. */
export function rememberToken(token) {
  remember("the signature of an access token", token.split(".")[2]);
  return remember("an access token", token);
}

// Whatever its value is.
const SHAPES = [
  // Not in the middle of a digest, which has every letter.
  [/(?<![\w-])tg[bclmrs]_[\w-]{20}/, "something like a secret, a code or a token of tollgate's"],
  [/eyJ[\w-]{10,}\.eyJ[\w-]{10,}\./, "something like a JWT"],
  [/["']?\bd\b["']?\s*:\s*["'][\w-]{43}["']/, "the private part of a JWK"],
  [/PRIVATE KEY/, "a private key in PEM"],
  // The fixed beginning of a P-256 key in PKCS #8, in base64 of either alphabet.
  [/MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/, "a private key in PKCS #8"],
];
const PKCS8 = Buffer.from("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420", "hex");

function found(bytes) {
  const text = bytes.toString("latin1");
  const kinds = [...known].filter(([value]) => bytes.includes(value)).map(([, kind]) => kind);
  kinds.push(...SHAPES.filter(([shape]) => shape.test(text)).map(([, kind]) => kind));
  if (bytes.includes(PKCS8)) kinds.push("a private key in PKCS #8");
  return [...new Set(kinds)];
}

function files(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** The bytes of a file; empty when the runtime replaced it since it was listed, as it does with values of KV. */
function bytesOf(path) {
  try {
    return readFileSync(path);
  } catch (error) {
    if (error.code === "ENOENT") return Buffer.alloc(0);
    throw error;
  }
}

/**
 * The signing keys of an instance, opened with its key-encryption key as only its operator can: `docs/storage.md`.
 * Rows are small and stored as text, so they are found in the database's files whether it runs or not.
 */
export function openKeyrings(folder, kek, realms) {
  const keys = [];
  for (const path of files(join(folder, "state"))) {
    for (const [, text, sealed] of bytesOf(path).toString("latin1").matchAll(/\{"public":(\{[^{}]*\}),"sealed":"([\w-]+)"\}/g)) {
      const jwk = JSON.parse(text);
      const bytes = Buffer.from(sealed, "base64url");
      const open = (realm) => {
        const cipher = createDecipheriv("aes-256-gcm", Buffer.from(kek, "base64url"), bytes.subarray(0, 12));
        cipher.setAAD(Buffer.from(`tollgate keyring 1:${realm}:${jwk.kid}`)).setAuthTag(bytes.subarray(-16));
        return Buffer.concat([cipher.update(bytes.subarray(12, -16)), cipher.final()]);
      };
      // Each realm may have a second keyring, for ID tokens.
      const opened = realms.flatMap((realm) => [realm, `${realm}/id-tokens`]).flatMap((realm) => {
        try {
          return [{ realm, der: open(realm) }];
        } catch {
          return []; // sealed for another keyring
        }
      });
      assert.equal(opened.length, 1, "a key opens in exactly one keyring");
      const [{ realm, der }] = opened;
      // An ML-DSA key is its seed; anything else a PKCS #8 document.
      const privateKey = jwk.kty === "AKP" ? undefined : createPrivateKey({ key: der, format: "der", type: "pkcs8" });
      const d = remember(`the private key of realm ${realm}`, privateKey?.export({ format: "jwk" }).d ?? der.toString("base64url"));
      remember(`the private key of realm ${realm}, raw`, Buffer.from(d, "base64url"));
      remember(`the private key of realm ${realm}, in hex`, Buffer.from(d, "base64url").toString("hex"));
      if (!keys.some((known) => known.kid === jwk.kid)) keys.push({ realm, kid: jwk.kid, alg: jwk.alg, privateKey });
    }
  }
  return keys;
}

/** Where secrets belong, and what was built before there were any. */
const THEIR_PLACE = /^(vars|demo\.env|operators\.json|build\/.*)$/;

/** Asserts that none of what was remembered, nor anything of its shape, was printed or lies in `folder`. Never shows what it finds. */
export function assertNothingLeaked({ folder, printed }) {
  assert.match(printed, /"decision":/, "the log is on");
  assert.deepEqual(found(Buffer.from(printed)), [], "printed");
  const searched = files(folder).filter((path) => !THEIR_PLACE.test(relative(folder, path)));
  for (const path of searched) assert.deepEqual(found(bytesOf(path)), [], relative(folder, path));
  const has = (part) => searched.some((path) => relative(folder, path).startsWith(part));
  assert.ok(has("state/v3/do/tollgate-PrincipalDo") && has("state/v3/do/tollgate-KeyringDo") && has("state/v3/kv"), "the state was searched");
  assert.ok(has("logs/"), "wrangler's log files were searched");
  assert.notDeepEqual(found(readFileSync(join(folder, "vars"))), [], "the search finds what is there");
}

/** The same of an instance in plain workerd: what it printed, and the folder of its objects. */
export function assertNothingSeen({ printed, state }) {
  assert.match(printed, /"decision":/, "the log is on");
  assert.deepEqual(found(Buffer.from(printed)), [], "printed");
  const searched = files(state);
  for (const path of searched) assert.deepEqual(found(bytesOf(path)), [], relative(state, path));
  assert.ok(searched.length > 0, "the state was searched");
}
