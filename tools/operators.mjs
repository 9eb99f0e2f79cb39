// Who manages a realm of a local instance: the first admin, made once with the bootstrap token, and a credential of theirs for command lines.
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { writeSecret } from "./settings.mjs";

export const ADMIN = "admin@example.com";

/** A token is asked for again after half of what it lasts, and after a minute. */
const LONGEST = 60_000;

/** A response; a sentence where nobody answers. */
async function reach(address, init) {
  try {
    return await fetch(address, init);
  } catch (error) {
    throw new Error(`No answer from ${new URL(address).origin} (${error.cause?.code ?? error.message}). Is it running? \`make dev\` starts it.`);
  }
}

/** A request to a worker, and its answer, read. */
export async function ask(address, { method, token, json, text, headers = {} } = {}) {
  const body = json === undefined ? text : JSON.stringify(json);
  const sent = { ...headers, ...(token && { authorization: `Bearer ${token}` }), ...(body !== undefined && { "content-type": "application/json" }) };
  const response = await reach(address, { method: method ?? (body === undefined ? "GET" : "POST"), headers: sent, body });
  const said = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  return { status: response.status, headers: response.headers, text: said, body: isJson && said ? JSON.parse(said) : undefined };
}

/** What an answer says is wrong. */
export const reason = ({ status, body }) => `${status}: ${body?.error_description ?? body?.detail ?? "no reason given"}`;

/** A token by client credentials, and until when it is worth keeping. */
async function grant(issuer, { client_id, client_secret }) {
  const form = new URLSearchParams({ grant_type: "client_credentials", client_id, client_secret });
  const response = await reach(`${issuer}/oauth/token`, { method: "POST", body: form });
  const body = await response.json().catch(() => ({}));
  if (response.status !== 200) throw new Error(`${issuer}/oauth/token answered ${response.status}: ${body.error_description ?? "no reason given"}`);
  const { idle } = JSON.parse(Buffer.from(body.access_token.split(".")[1], "base64url"));
  const lasts = Math.min(body.expires_in, idle ?? Infinity) * 500;
  return { token: body.access_token, until: Date.now() + Math.min(lasts, LONGEST) };
}

/**
 * The operators of an instance. `url`: where it is served. `folder`: where what they are known by is kept (`operators.json`). `bootstrap`: the
 * deployment's first secret, used once in each realm.
 */
export function operators({ url, folder, bootstrap }) {
  const path = join(folder, "operators.json");
  const known = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
  const [making, asking, tokens] = [new Map(), new Map(), new Map()];

  /** One at a time for each realm: whoever asks meanwhile gets the same. */
  const once = (map, realm, make) => {
    if (!map.has(realm)) map.set(realm, make().finally(() => map.delete(realm)));
    return map.get(realm);
  };

  /** The first admin of a realm: login, password, client_id, client_secret. */
  const admin = async (realm) => known[realm] ?? once(making, realm, () => make(realm));

  async function make(realm) {
    if (!bootstrap) throw new Error("There is no bootstrap token: start `make dev` once, or set TOLLGATE_TOKEN.");
    const password = randomBytes(12).toString("base64url");
    const made = await ask(`${url}/${encodeURIComponent(realm)}/api/v1/bootstrap`, { token: bootstrap, json: { login: ADMIN, password, name: "Admin" } });
    if (made.status === 404) throw new Error(`\`${realm}\` is no realm of the running configuration (404).`);
    if (made.status !== 201) throw new Error(`The first admin of \`${realm}\` was not made (${reason(made)})`);
    const { client_id, client_secret } = made.body;
    known[realm] = { login: ADMIN, password, client_id, client_secret };
    writeSecret(path, JSON.stringify(known, null, 2));
    return known[realm];
  }

  return {
    admin,
    /** A token that manages everything in the realm. */
    async token(realm) {
      const kept = tokens.get(realm);
      if (kept && Date.now() < kept.until) return kept.token;
      const got = async () => grant(`${url}/${encodeURIComponent(realm)}`, await admin(realm));
      const fresh = await once(asking, realm, got);
      tokens.set(realm, fresh);
      return fresh.token;
    },
  };
}
