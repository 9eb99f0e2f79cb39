// Proofs of possession (RFC 9449), made by hand: what a library would not send.
import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";

const text = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
const hashed = (value) => createHash("sha256").update(value).digest("base64url");

/** A key, and what is proved by it. */
export function newKey() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { kty, crv, x, y } = publicKey.export({ format: "jwk" });
  const jwk = { kty, crv, x, y };
  return {
    jwk,
    /** RFC 7638. */
    thumbprint: hashed(JSON.stringify({ crv, kty, x, y })),
    /** A proof of `method` to `url`, with the access token `token`. `claims` and `header` replace; what is undefined is left out. */
    proof(method, url, { token, claims, header } = {}) {
      const said = { jti: randomBytes(12).toString("base64url"), htm: method, htu: url, iat: Math.floor(Date.now() / 1000) };
      if (token !== undefined) said.ath = hashed(token);
      const input = `${text({ typ: "dpop+jwt", alg: "ES256", jwk, ...header })}.${text({ ...said, ...claims })}`;
      return `${input}.${sign("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
    },
  };
}
