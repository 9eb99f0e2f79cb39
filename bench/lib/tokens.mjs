// Keys, tokens, and the configuration that goes with them.
import { createPublicKey, randomBytes, randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { SignJWT, exportJWK, generateKeyPair, importJWK } from "jose";

export const AUDIENCE = "https://api.example";
export const TYP = "at+jwt";
export const SCOPE = "orders:read";

/** Signing with RSA is slow, so its pools are smaller. */
export const CASES = {
  HS256: { alg: "HS256", pool: 2000 },
  RS256: { alg: "RS256", pool: 1000 },
  PS256: { alg: "PS256", pool: 1000 },
  ES256: { alg: "ES256", pool: 2000 },
  ES384: { alg: "ES384", pool: 2000 },
  EdDSA: { alg: "EdDSA", pool: 2000 },
};

/** The realm whose tokens the gateway part sends. */
export const ISSUER = "http://127.0.0.1:8787/bench";
export const issuerOf = (name) => `https://issuer.example/${name}`;

async function makeKey(name, alg) {
  const labels = { kid: `bench-${name}`, alg, use: "sig" };
  if (alg.startsWith("HS")) {
    const secret = { kty: "oct", k: randomBytes(32).toString("base64url"), ...labels };
    return { private: secret, public: secret };
  }
  const pair = await generateKeyPair(alg, { extractable: true, modulusLength: 2048 });
  const [secret, open] = await Promise.all([exportJWK(pair.privateKey), exportJWK(pair.publicKey)]);
  return { private: { ...secret, ...labels }, public: { ...open, ...labels } };
}

/** One key for each case. They stay from run to run: a configuration is built into tollgate, and new keys mean a new build. */
export async function keys(folder) {
  const path = join(folder, "keys.json");
  const known = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  const missing = Object.keys(CASES).filter((name) => !known[name]);
  for (const name of missing) known[name] = await makeKey(name, CASES[name].alg);
  if (missing.length > 0) writeFileSync(path, `${JSON.stringify(known, undefined, 2)}\n`, { mode: 0o600 });
  return known;
}

/** One of many routes, of as many kinds as people have. */
const other = (at) => ({
  id: `other-${at}`,
  ...(at % 7 === 0 ? { host: `api-${at % 100}.example` } : {}),
  methods: [["GET"], ["GET", "HEAD"], ["POST"], ["PUT", "PATCH"]][at % 4],
  path: [`/orders/{id}/items-${at}`, `/v${at % 5}/things-${at}/{id}`, `/v${at % 5}/things-${at}/{id}/parts/{part}`, `/files-${at}/*`][at % 4],
  require: { scopes: [SCOPE], issuers: ["bench"] },
  to: { service: "ORIGIN" },
});

/** The same with 10,000 routes: the files, by name, the first of which includes the others. */
export function manyRoutes(made) {
  const parts = Array.from({ length: 10 }, (_, part) => Array.from({ length: part === 0 ? 999 : 1000 }, (_, at) => other(1000 * part + at)));
  const names = parts.map((_, part) => `many-${part}.json`);
  return { "many.json": { ...configuration(made), includes: names }, ...Object.fromEntries(parts.map((routes, part) => [names[part], { routes }])) };
}

/** The document that makes tollgate accept the tokens of every case: in the harness, and on the gateway's route. */
export function configuration(made) {
  const names = Object.keys(CASES);
  const issuers = names.map((name) => ({
    issuer: issuerOf(name),
    audiences: [AUDIENCE],
    algorithms: [CASES[name].alg],
    jwks: { keys: [made[name].public] },
  }));
  const route = {
    id: "orders",
    methods: ["GET"],
    path: "/orders/{id}",
    require: { scopes: [SCOPE], issuers: [...names.map(issuerOf), "bench", "exact"] },
    to: { service: "ORIGIN" },
  };
  return {
    // For the issuer part; and the gate answers plain HTTP only where a realm allows it.
    realms: {
      bench: { issuer: ISSUER, audience: AUDIENCE, allow_http: true },
      exact: { issuer: "http://127.0.0.1:8787/exact", allow_http: true, grain_seconds: 0 },
    },
    issuers,
    scopes: { [SCOPE]: { description: "Read orders." }, "orders:write": { description: "Change orders." } },
    routes: [route],
  };
}

/** Signs access tokens as RFC 9068 wants them; each is another one. */
async function signer(name, { private: jwk }) {
  const { alg } = CASES[name];
  const key = await importJWK(jwk, alg);
  const now = Math.floor(Date.now() / 1000);
  return ({ typ = TYP, ...claims } = {}) =>
    new SignJWT({
      iss: issuerOf(name),
      aud: AUDIENCE,
      sub: randomUUID(),
      client_id: `client_${randomBytes(12).toString("base64url")}`,
      iat: now - 60,
      exp: now + 10 * 365 * 86400,
      jti: randomUUID(),
      scope: `${SCOPE} customers:read locations:read inventory:read products:read shipments:read invoices:read`,
      ...claims,
    })
      .setProtectedHeader({ typ, alg, kid: jwk.kid })
      .sign(key);
}

/** The token's claims changed, under the signature of the original. */
function tampered(token) {
  const [header, claims, signature] = token.split(".");
  const changed = { ...JSON.parse(Buffer.from(claims, "base64url")), sub: "somebody-else" };
  return [header, Buffer.from(JSON.stringify(changed)).toString("base64url"), signature].join(".");
}

const pemOf = (jwk) => (jwk.kty === "oct" ? undefined : createPublicKey({ key: jwk, format: "jwk" }).export({ type: "spki", format: "pem" }));

/** All that a contestant gets for one case. */
export async function specOf(name, made, { pool = CASES[name].pool } = {}) {
  const sign = await signer(name, made[name]);
  const repeated = await sign();
  const longAgo = Math.floor(Date.now() / 1000) - 86400;
  return {
    alg: CASES[name].alg,
    issuer: issuerOf(name),
    audience: AUDIENCE,
    typ: TYP,
    jwk: made[name].public,
    pem: pemOf(made[name].public),
    pool: await Promise.all(Array.from({ length: pool }, () => sign())),
    repeated,
    bad: {
      signature: tampered(repeated),
      issuer: await sign({ iss: "https://somebody.example" }),
      audience: await sign({ aud: "https://other.example" }),
      time: await sign({ iat: longAgo - 3600, exp: longAgo }),
      typ: await sign({ typ: "logout+jwt" }),
    },
  };
}
