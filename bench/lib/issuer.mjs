// Tokens per second: tollgate beside two issuers that others wrote, and how many uses a second one principal takes in.
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as httpRequest, Agent } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { decodeJwt } from "jose";

import { startGroup } from "../../tools/process-group.mjs";
import { environment, node, root } from "../../tools/project.mjs";
import { median, order } from "./statistics.mjs";
import { load } from "./wrk.mjs";

const CONNECTIONS = 32;
const WARM_UP_SECONDS = 1;
const REDIRECT = "https://app.example/cb";
const PATH = "/orders/o-1002";

const b64 = (bytes) => randomBytes(bytes).toString("base64url");

/** One request over a kept connection: its status and its JSON. */
function post(agent, url, form, { method = "POST", headers = {}, json } = {}) {
  const body = json ? JSON.stringify(json) : form ? new URLSearchParams(form).toString() : "";
  const type = json ? "application/json" : "application/x-www-form-urlencoded";
  return new Promise((resolve, reject) => {
    const sent = { ...headers, ...(body && { "content-type": type, "content-length": Buffer.byteLength(body) }) };
    const request = httpRequest(url, { agent, method, headers: sent });
    request.once("error", reject);
    request.once("response", (response) => {
      const pieces = [];
      response.on("data", (piece) => pieces.push(piece));
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode, text: Buffer.concat(pieces).toString() }));
    });
    request.end(body);
  });
}

async function good(promise, about) {
  const { status, text } = await promise;
  if (status !== 200 && status !== 201) throw new Error(`${about} answers ${status}: ${text.slice(0, 300)}`);
  return JSON.parse(text);
}

/** `next` of each chain, one after the other, in all chains at once, for some seconds: how many a second. */
async function drive(chains, seconds) {
  const start = performance.now();
  const end = start + seconds * 1000;
  let count = 0;
  await Promise.all(
    chains.map(async (next) => {
      while (performance.now() < end) {
        await next();
        count += 1;
      }
    }),
  );
  return count / ((performance.now() - start) / 1000);
}

/** A contestant whose every request follows from the answer before it. */
const chained = (chains) => (seconds) => drive(chains, seconds);

/** A contestant that is asked the same thing over and over: by wrk, which takes less of the machine than this process. */
const asked = (url, who) => async (seconds) => {
  const form = { grant_type: "client_credentials", ...who };
  return (await load(url, { seconds, connections: CONNECTIONS, form })).requestsPerSecond;
};

const times = (make) => Promise.all(Array.from({ length: CONNECTIONS }, (_, at) => make(at)));

/** A chain in which each refresh token leads to the next one. */
function refreshing(agent, url, who, first, about) {
  let token = first;
  return async () => {
    const answer = await good(post(agent, url, { grant_type: "refresh_token", refresh_token: token, ...who }), about);
    if (!answer.access_token || !answer.refresh_token || answer.refresh_token === token) throw new Error(`${about} does not rotate`);
    token = answer.refresh_token;
  };
}

const tokens = new Map();

/** A token of the realm's first admin, who is made with the bootstrap token. */
async function adminToken(agent, server, realm, bootstrap) {
  if (!tokens.has(realm)) {
    const at = (path) => server.url("tollgate", `/${realm}${path}`);
    const json = { login: "admin@example.com", password: "a password of the bench" };
    const headers = { authorization: `Bearer ${bootstrap}` };
    const { client_id, client_secret } = await good(post(agent, at("/api/v1/bootstrap"), undefined, { json, headers }), "tollgate");
    const granted = await good(post(agent, at("/oauth/token"), { grant_type: "client_credentials", client_id, client_secret }), "tollgate");
    tokens.set(realm, granted.access_token);
  }
  return tokens.get(realm);
}

async function tollgateClient(agent, server, realm, bootstrap, grants, scope = "orders:read") {
  const metadata = { client_name: "bench", scope, grant_types: grants };
  const headers = { authorization: `Bearer ${await adminToken(agent, server, realm, bootstrap)}` };
  const client = await good(post(agent, server.url("tollgate", `/${realm}/api/v1/clients`), undefined, { json: metadata, headers }), "tollgate");
  return { client_id: client.client_id, client_secret: client.client_secret };
}

/** Access tokens of the realm `bench`, each with a session of its own: what the gateway part sends, and one without the scope of its route. */
export async function tokensOfRealm(server, bootstrap) {
  const agent = new Agent({ keepAlive: true });
  try {
    const who = await tollgateClient(agent, server, "bench", bootstrap, ["client_credentials"], "orders:read orders:write");
    const url = server.url("tollgate", "/bench/oauth/token");
    const grant = async (scope) => (await good(post(agent, url, { grant_type: "client_credentials", scope, ...who }), "tollgate, client_credentials")).access_token;
    return [await grant("orders:read"), await grant("orders:write")];
  } finally {
    agent.destroy();
  }
}

/** tollgate: a client like the one that oidc-provider serves; and chains, each a client of its own, and so an object of its own. */
async function tollgateParts(agent, server, bootstrap) {
  const url = server.url("tollgate", "/bench/oauth/token");
  const grant = (who) => good(post(agent, url, { grant_type: "client_credentials", ...who }), "tollgate, client_credentials");
  const plain = await tollgateClient(agent, server, "bench", bootstrap, ["client_credentials"]);
  const [one, other] = [decodeJwt((await grant(plain)).access_token), decodeJwt((await grant(plain)).access_token)];
  if (one.client_id !== plain.client_id) throw new Error("tollgate gives no token of this client");
  if (one.sid === other.sid) throw new Error("tollgate gives no session of its own");
  const refreshes = await times(async () => {
    const who = await tollgateClient(agent, server, "bench", bootstrap, ["client_credentials", "refresh_token"]);
    const { refresh_token } = await grant(who);
    return refreshing(agent, url, who, refresh_token, "tollgate, refresh_token");
  });
  return { grants: asked(url, plain), refreshes: chained(refreshes) };
}

/** workers-oauth-provider: each chain is a client and a person of its own, so nothing that it stores is shared. */
async function providerChains(agent, server) {
  const at = (path) => server.url("oauth-provider", path);
  return times(async (index) => {
    const { clientId, clientSecret } = await good(post(agent, at("/client")), "oauth-provider");
    const who = { client_id: clientId, client_secret: clientSecret };
    const verifier = b64(32);
    const query = new URLSearchParams({
      response_type: "code",
      client_id: clientId,
      redirect_uri: REDIRECT,
      scope: "orders:read offline_access",
      state: `person-${index}`,
      code_challenge: createHash("sha256").update(verifier).digest("base64url"),
      code_challenge_method: "S256",
    });
    const { redirectTo } = await good(post(agent, at(`/authorize?${query}`), undefined, { method: "GET" }), "oauth-provider");
    const code = new URL(redirectTo).searchParams.get("code");
    const form = { grant_type: "authorization_code", code, redirect_uri: REDIRECT, code_verifier: verifier, ...who };
    const { refresh_token } = await good(post(agent, at("/oauth/token"), form), "oauth-provider, authorization_code");
    return refreshing(agent, at("/oauth/token"), who, refresh_token, "oauth-provider, refresh_token");
  });
}

/** A worker that issues nothing: how many answers a second the runtime gives at most. */
const floor = (server) => asked(server.url("floor", "/token"), { client_id: b64(16), client_secret: b64(32) });

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** oidc-provider, in a Node process beside workerd. */
async function startOidcProvider(agent) {
  const port = await freePort();
  const who = { client_id: "bench", client_secret: b64(32) };
  const url = `http://127.0.0.1:${port}/token`;
  const printed = [];
  const program = join(root, "bench", "peers", "oidc-provider.mjs");
  const args = [program, String(port), who.client_id, who.client_secret];
  const group = startGroup(node(), args, { cwd: root, env: environment({ NODE_ENV: "production" }), onOutput: (text) => printed.push(text) });
  const grant = () => good(post(agent, url, { grant_type: "client_credentials", scope: "orders:read", ...who }), "oidc-provider");
  for (const end = Date.now() + 15_000; ; await sleep(100)) {
    try {
      if (decodeJwt((await grant()).access_token).client_id !== who.client_id) throw new Error("it gives no JWT of this client");
      break;
    } catch (error) {
      if (Date.now() < end && group.isRunning()) continue;
      await group.stop();
      throw new Error(`oidc-provider: ${error.message}\n${printed.join("")}`);
    }
  }
  return { grants: asked(url, { scope: "orders:read", ...who }), stop: () => group.stop() };
}

/** Requests per second with one token of a realm whose grain is zero: each asks the one object of the token's session. */
async function measureTouch(agent, server, bootstrap, { rounds, seconds, say }) {
  const who = await tollgateClient(agent, server, "exact", bootstrap, ["client_credentials"]);
  const url = server.url("tollgate", "/exact/oauth/token");
  const { access_token } = await good(post(agent, url, { grant_type: "client_credentials", ...who }), "tollgate");
  const headers = { authorization: `Bearer ${access_token}`, connection: "Keep-Alive" };
  const target = server.url("tollgate", PATH);
  await load(target, { seconds: WARM_UP_SECONDS, connections: 16, headers });
  const rates = [];
  for (let round = 0; round < rounds; round += 1) rates.push((await load(target, { seconds, connections: 16, headers })).requestsPerSecond);
  say(`issuer: one session, each request asks its object: median ${Math.round(median(rates))} requests/s`);
  return rates;
}

/** Measures every issuer in rounds of alternating order, each loaded for `seconds` in a round. */
export async function measureIssuer(server, bootstrap, { rounds, seconds, say }) {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const peer = await startOidcProvider(agent);
  try {
    const own = await tollgateParts(agent, server, bootstrap);
    const contestants = {
      "tollgate refresh_token": own.refreshes,
      "workers-oauth-provider refresh_token": chained(await providerChains(agent, server)),
      "tollgate client_credentials": own.grants,
      "oidc-provider client_credentials": peer.grants,
      "floor client_credentials": floor(server),
    };
    const names = Object.keys(contestants);
    const results = Object.fromEntries(names.map((name) => [name, []]));
    for (const name of names) await contestants[name](WARM_UP_SECONDS);
    for (let round = 0; round < rounds; round += 1) {
      for (const name of order(names, round)) results[name].push(await contestants[name](seconds));
      const rates = names.map((name) => `${name} ${Math.round(results[name].at(-1))}`);
      say(`issuer: round ${round + 1} of ${rounds}, tokens/s: ${rates.join(", ")}`);
    }
    const touch = await measureTouch(agent, server, bootstrap, { rounds, seconds, say });
    return { results, touch, connections: CONNECTIONS, rounds, seconds };
  } finally {
    agent.destroy();
    await peer.stop();
  }
}
