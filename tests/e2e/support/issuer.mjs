// The issuer under test: people, codes, and what is done with tokens, as raw answers.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { startInstance } from "./instance.mjs";
import { remember, rememberToken } from "./secrets.mjs";

// issuer.json names it.
const PORT = 8803;
export const HERE = `http://127.0.0.1:${PORT}`;
export const REDIRECT = "https://app.example/cb";
export const PASSWORD = "correct horse battery staple";
// docs/guarantees.md: how long a spent refresh token is answered again, and a used code is no theft.
export const GRACE = 10_000;
// The realm `app`.
export const GRAIN = 1000;

export const seconds = () => Math.floor(Date.now() / 1000);
export const times = (count, make) => Promise.all(Array.from({ length: count }, (_, at) => make(at)));
const b64 = (bytes) => randomBytes(bytes).toString("base64url");

/** An instance of issuer.json, with the endpoint that makes codes for tests; `options` as of `startInstance`. */
export const startIssuer = (name, options) =>
  startInstance(`issuer-${name}`, { port: PORT, config: "tests/e2e/issuer.json", features: "harness", ...options });

/** A request with an answer that is read. `json` or `form` is the body. */
export async function ask(url, { method = "POST", bearer, headers = {}, json, form, body } = {}) {
  const sent = { ...headers };
  if (bearer !== undefined) sent.authorization = `Bearer ${bearer}`;
  if (json !== undefined) [sent["content-type"], body] = ["application/json", JSON.stringify(json)];
  if (form !== undefined) body = new URLSearchParams(form);
  const start = performance.now();
  const response = await fetch(url, { method, headers: sent, body });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get("content-type") ?? "");
  const answer = { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined, ms: performance.now() - start };
  keepSecret(answer.body);
  return answer;
}

/** Everything in an answer that must not be seen anywhere else. */
function keepSecret(body) {
  if (!body) return;
  if (body.access_token) rememberToken(body.access_token);
  if (body.id_token) rememberToken(body.id_token);
  if (body.refresh_token) remember("a refresh token", body.refresh_token);
  if (body.client_secret) remember("a client secret", body.client_secret);
  if (body.registration_access_token) remember("a registration access token", body.registration_access_token);
  if (body.code) remember("a code", body.code);
}

export function assertStatus(answer, status, about = "") {
  assert.equal(answer.status, status, `${about} ${answer.text.slice(0, 300)}`);
  return answer.body;
}

export function assertError(answer, error, status = error === "invalid_client" ? 401 : 400, about = "") {
  assert.deepEqual([answer.status, answer.body?.error], [status, error], `${about} ${answer.text.slice(0, 300)}`);
  assert.equal(answer.headers.get("cache-control"), "no-store", about);
}

/** One realm of an instance. */
export function realmOf(server, name) {
  const issuer = server.realms[name];
  const manage = async (method, path, json) => ask(`${issuer}/api/v1${path}`, { method, bearer: await server.operators.token(name), json });
  const realm = {
    name,
    issuer,
    manage,
    token: (form, options) => ask(`${issuer}/oauth/token`, { form, ...options }),
    revoke: (form, options) => ask(`${issuer}/oauth/revoke`, { form, ...options }),
    introspect: (form, options) => ask(`${issuer}/oauth/introspect`, { form, ...options }),
    /** A client with a secret, or a public one with `token_endpoint_auth_method: "none"`. `who` is what its requests say of it. */
    async client(metadata = {}) {
      const grant_types = ["client_credentials", "refresh_token"];
      const known = assertStatus(await manage("POST", "/clients", { client_name: "A client", grant_types, scope: "orders:read", ...metadata }), 201);
      return withWho(known);
    },
    /** A public client that redeems codes. */
    app: (metadata = {}) =>
      realm.client({
        grant_types: ["authorization_code", "refresh_token"],
        redirect_uris: [REDIRECT],
        token_endpoint_auth_method: "none",
        scope: "orders:read openid",
        ...metadata,
      }),
    async user(changes = {}) {
      const login = `ada-${b64(6)}@example.com`;
      remember("a password", PASSWORD);
      const user = assertStatus(await manage("POST", "/users", { login, password: PASSWORD, roles: ["editor", "viewer"], ...changes }), 201);
      return user;
    },
    /** A code for a user, and the rest of what redeems it. */
    async code(user, client, changes = {}) {
      const code_verifier = remember("a code verifier", b64(32));
      const code_challenge = createHash("sha256").update(code_verifier).digest("base64url");
      const wanted = { login: user.login, client_id: client.client_id, redirect_uri: REDIRECT, scope: "orders:read", code_challenge, ...changes };
      const { code } = assertStatus(await ask(`${issuer}/_harness/code`, { bearer: server.bootstrapToken, json: wanted }), 200);
      return { grant_type: "authorization_code", code, code_verifier, redirect_uri: REDIRECT, ...client.who };
    },
    /** Tokens of a user's session. */
    async signIn(user, client, changes) {
      return assertStatus(await realm.token(await realm.code(user, client, changes)), 200);
    },
    /** Tokens of a client's own session. */
    async grant(client, changes = {}) {
      return assertStatus(await realm.token({ grant_type: "client_credentials", ...client.who, ...changes }), 200);
    },
    refresh: (client, refresh_token, changes = {}) => realm.token({ grant_type: "refresh_token", refresh_token, ...client.who, ...changes }),
    /** What the gate says to an access token. */
    call: (token, path = `/echo/${name}/x`) => ask(`${HERE}${path}`, { method: "GET", bearer: token }),
  };
  return realm;
}

/** With what its requests say of it. */
export const withWho = (client, secret = client.client_secret) => ({
  ...client,
  who: { client_id: client.client_id, ...(secret === undefined ? {} : { client_secret: secret }) },
});

/** Milliseconds until the gate refuses the token, which it must within `most`; and it stays refused. */
export async function untilRefused(realm, token, most, path) {
  const start = performance.now();
  for (;;) {
    const from = performance.now();
    const { status } = await realm.call(token, path);
    if (status === 401) break;
    assert.equal(status, 200);
    assert.ok(from - start <= most, `still accepted after ${Math.round(from - start)} ms`);
    await sleep(20);
  }
  const taken = performance.now() - start;
  assert.equal((await realm.call(token, path)).status, 401, "it stays refused");
  return taken;
}
