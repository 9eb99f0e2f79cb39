// The caller's side, spoken by oauth4webapi.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";

import { remember, rememberToken } from "./secrets.mjs";

/** The issuers are on this machine, without TLS. */
export const insecure = { [oauth.allowInsecureRequests]: true };

export async function discover(issuer, algorithm = "oauth2") {
  const url = new URL(issuer);
  return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { ...insecure, algorithm }));
}

/** Registers a client the way RFC 7591 has it; the endpoint is not advertised, because only operators may. */
export async function register(server, realm, { scope = "orders:read", grants = ["client_credentials"], name = `${realm} client` } = {}) {
  const issuer = server.realms[realm];
  const as = { issuer, registration_endpoint: `${issuer}/api/v1/clients` };
  const response = await oauth.dynamicClientRegistrationRequest(
    as,
    { client_name: name, scope, grant_types: grants },
    { ...insecure, initialAccessToken: await server.operators.token(realm) },
  );
  const client = await oauth.processDynamicClientRegistrationResponse(response);
  remember("a client secret", client.client_secret);
  return { ...client, as: await discover(issuer) };
}

/** The raw answer to a client-credentials request. */
export function tokenRequest(client, { scope, auth = oauth.ClientSecretBasic(client.client_secret), as = client.as } = {}) {
  return oauth.clientCredentialsGrantRequest(as, { client_id: client.client_id }, auth, scope === undefined ? {} : { scope }, insecure);
}

/** What a client gets: the parsed answer. */
export async function grant(client, options) {
  const answer = await oauth.processClientCredentialsResponse(client.as, client, await tokenRequest(client, options));
  rememberToken(answer.access_token);
  if (answer.refresh_token) remember("a refresh token", answer.refresh_token);
  return answer;
}

export const accessToken = async (client, options) => (await grant(client, options)).access_token;

/** Calls with a token. A challenge comes back parsed, next to the status. */
export async function call(token, url, { method = "GET", headers, body } = {}) {
  const read = async (response, challenges) => ({
    status: response.status,
    headers: response.headers,
    text: await response.text(),
    challenges,
  });
  try {
    return await read(await oauth.protectedResourceRequest(token, method, new URL(url), new Headers(headers), body, insecure));
  } catch (error) {
    if (!(error instanceof oauth.WWWAuthenticateChallengeError)) throw error;
    return read(error.response, error.cause);
  }
}

/** 200, with the parsed body. */
export function assertPassed(answer) {
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.challenges, undefined);
  return JSON.parse(answer.text);
}

/** RFC 6750 section 3.1, and the one text that says nothing about the reason. */
export function assertInvalidToken(answer, about) {
  assert.equal(answer.status, 401, about);
  assert.deepEqual(answer.challenges, [{ scheme: "bearer", parameters: { error: "invalid_token" } }], about);
  assert.equal(JSON.parse(answer.text).detail, "The token is not valid here, or not any more.", about);
}

/** Runs `action` over all of `items`, `size` at a time: more would wait for each other all the same. */
export async function inBatches(items, action, size = 8) {
  for (let at = 0; at < items.length; at += size) await Promise.all(items.slice(at, at + size).map(action));
}
