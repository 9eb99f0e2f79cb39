// Tokens that no issuer would make. The foreign issuer's key is ours, so they can be genuine in every way but one.
import { createPrivateKey, createPublicKey, randomUUID, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { SignJWT } from "jose";

export const ISSUER = "https://accounts.example.com";
export const AUDIENCE = "https://api.example.com";

const jwk = JSON.parse(readFileSync(new URL("../foreign-key.json", import.meta.url), "utf8"));
export const privateKey = createPrivateKey({ key: jwk, format: "jwk" });
export const publicKey = createPublicKey(privateKey);
export const KID = jwk.kid;

export const seconds = () => Math.floor(Date.now() / 1000);

/** What the foreign issuer says of a caller that may read orders. A change to `undefined` takes a claim away. */
export const claims = (changes = {}) => ({
  iss: ISSUER,
  sub: "user|7",
  aud: AUDIENCE,
  client_id: "partner",
  iat: seconds(),
  exp: seconds() + 300,
  jti: randomUUID(),
  scope: "orders:read",
  ...changes,
});

export const header = (changes = {}) => ({ alg: "ES256", kid: KID, typ: "at+jwt", ...changes });

/** Signed by jose, which checks no claims when it signs. */
export function forge({ claims: changed, header: headed, key = privateKey, crit } = {}) {
  return new SignJWT(claims(changed)).setProtectedHeader(header(headed)).sign(key, { crit });
}

export const b64 = (data) => Buffer.from(data).toString("base64url");

/** Signed as they are: `head` and `payload` are text, so they may be anything. */
export function forgeText(head, payload, { key = privateKey, dsaEncoding = "ieee-p1363" } = {}) {
  const input = `${b64(head)}.${b64(payload)}`;
  return `${input}.${b64(sign("sha256", Buffer.from(input), { key, dsaEncoding }))}`;
}

/** With the text of header and payload changed. */
export const forgeFrom = (head, payload, options) => forgeText(head(JSON.stringify(header())), payload(JSON.stringify(claims())), options);
