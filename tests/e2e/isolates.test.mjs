// Proofs of possession (RFC 9449) at more than one isolate of a deployment: what was used at one of them is used at all. Two services with the same
// code in one workerd, which share objects and KV and nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as oauth from "oauth4webapi";

import { ask, assertError, assertStatus, realmOf, times } from "./support/issuer.mjs";
import { startPlain } from "./support/plain.mjs";
import { newKey } from "./support/proofs.mjs";
import { remember, rememberToken } from "./support/secrets.mjs";
import { startWireUpstream } from "./support/wire.mjs";

const CONFIG = "tests/e2e/issuer.json";
/** As issuer.json has it: what callers ask, and what proofs are of, wherever it is served. */
const HERE = "http://127.0.0.1:8803";

const noted = [];
const upstream = await startWireUpstream();
const server = await startPlain("isolates", { config: CONFIG, fetches: upstream.port, isolates: ["other"], seen: (note) => noted.push(note) });
const ports = { first: server.portOf("tollgate"), other: server.portOf("other") };
const there = (isolate, url) => url.replace(HERE, `http://127.0.0.1:${ports[isolate]}`);

/** What oauth4webapi is to use in place of `fetch`; `sent` keeps the proofs that it makes. */
const by = (isolate, sent = []) => ({
  [oauth.allowInsecureRequests]: true,
  [oauth.customFetch]: (url, options) => {
    const proof = new Headers(options.headers).get("dpop");
    if (proof) sent.push(proof);
    return fetch(there(isolate, url), options);
  },
});

/** Shows a token with a proof. */
const show = (isolate, url, token, proof, scheme = "DPoP") =>
  ask(there(isolate, url), { method: "GET", headers: { authorization: `${scheme} ${token}`, ...(proof === undefined ? {} : { dpop: proof }) } });

function assertRefused(answer, error, about) {
  assert.equal(answer.status, 401, `${about} ${answer.text}`);
  assert.match(answer.headers.get("www-authenticate"), new RegExp(`^DPoP algs="EdDSA ES256 [^"]*", error="${error}"$`), about);
}

/** A client of a realm, as oauth4webapi has it. */
async function clientOf(name) {
  const made = await realmOf(server, name).client({ grant_types: ["client_credentials"], dpop_bound_access_tokens: true });
  const issuer = new URL(server.issuers[name]);
  const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { ...by("first"), algorithm: "oauth2" }));
  return { as, me: { client_id: made.client_id }, auth: oauth.ClientSecretBasic(made.client_secret), who: made.who };
}

async function grant({ as, me, auth }, DPoP, isolate) {
  const asked = () => oauth.clientCredentialsGrantRequest(as, me, auth, { scope: "orders:read" }, { ...by(isolate), DPoP });
  const read = async () => oauth.processClientCredentialsResponse(as, me, await asked());
  // The first answer of a realm that wants a nonce is that nonce.
  const tokens = await read().catch((error) => (oauth.isDPoPNonceError(error) ? read() : Promise.reject(error)));
  rememberToken(tokens.access_token);
  if (tokens.refresh_token) remember("a refresh token", tokens.refresh_token);
  assert.equal(tokens.token_type, "dpop");
  return tokens.access_token;
}

test("the other one is another isolate: it does not know what the first one remembers", async () => {
  const realm = realmOf(server, "cutoff");
  const client = await realm.client({ grant_types: ["client_credentials"] });
  const { access_token: token } = await realm.grant(client);
  const url = `${HERE}/echo/cutoff/x`;
  // What it knows of cut-offs it believes for 30 s: docs/guarantees.md.
  assertStatus(await show("first", url, token, undefined, "Bearer"), 200);
  assertStatus(await realm.revoke({ token, ...client.who }), 200);
  assertStatus(await show("other", url, token, undefined, "Bearer"), 401);
  assertStatus(await show("first", url, token, undefined, "Bearer"), 200);
});

for (const name of ["app", "exact", "cutoff", "nonce"]) {
  test(`attack_58 oauth4webapi calls an API through both isolates, and a proof that one of them took the other refuses: realm ${name}`, async () => {
    const client = await clientOf(name);
    const DPoP = oauth.DPoP(client.me, await oauth.generateKeyPair("ES256"));
    const token = await grant(client, DPoP, "first");
    const url = `${HERE}/echo/${name}/x`;
    for (const [one, two] of [["first", "other"], ["other", "first"], ["first", "other"]]) {
      const sent = [];
      const call = () => oauth.protectedResourceRequest(token, "GET", new URL(url), undefined, undefined, { ...by(one, sent), DPoP });
      const answer = await call().catch((error) => (oauth.isDPoPNonceError(error) ? call() : Promise.reject(error)));
      assert.equal(answer.status, 200);
      await answer.arrayBuffer();
      const { headers } = noted.at(-1);
      const seen = Object.fromEntries(headers);
      assert.deepEqual([seen["x-tollgate-client"], seen.authorization, seen.dpop], [client.me.client_id, undefined, undefined]);
      const before = noted.length;
      const proof = sent.at(-1);
      for (const isolate of [two, one, two]) assertRefused(await show(isolate, url, token, proof), "invalid_dpop_proof", `${isolate}, after ${one}`);
      assert.equal(noted.length, before, "nothing arrives of what is refused");
    }
  });
}

test("attack_58 of one proof at both isolates at once one counts, at the gate and at the token endpoint", async () => {
  for (const name of ["app", "cutoff"]) {
    const { who } = await clientOf(name);
    const [key, at, url] = [newKey(), `${server.issuers[name]}/oauth/token`, `${HERE}/echo/${name}/x`];
    const asking = (isolate, proof) => ask(there(isolate, at), { form: { grant_type: "client_credentials", ...who }, headers: { dpop: proof } });
    for (let round = 0; round < 5; round += 1) {
      const isolates = Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? "first" : "other"));
      const asked = key.proof("POST", at);
      const grants = await times(20, (n) => asking(isolates[n], asked));
      const granted = grants.filter(({ status }) => status === 200);
      assert.equal(granted.length, 1, "exactly one is granted");
      for (const answer of grants) if (answer.status !== 200) assertError(answer, "invalid_dpop_proof");
      const { access_token: token } = granted[0].body;
      const proof = key.proof("GET", url, { token });
      const answers = await times(20, (n) => show(isolates[n], url, token, proof));
      assert.equal(answers.filter(({ status }) => status === 200).length, 1, "exactly one passes");
      for (const answer of answers) if (answer.status !== 200) assertRefused(answer, "invalid_dpop_proof", "replayed");
    }
  }
});

test("attack_58 a bound token is no bearer token, at an isolate that has seen it with a proof and at one that has not", async () => {
  for (const name of ["app", "exact", "cutoff"]) {
    const client = await clientOf(name);
    const key = newKey();
    const at = `${server.issuers[name]}/oauth/token`;
    const form = { grant_type: "client_credentials", ...client.who };
    const { access_token: token } = assertStatus(await ask(there("first", at), { form, headers: { dpop: key.proof("POST", at) } }), 200);
    const url = `${HERE}/echo/${name}/x`;
    const before = noted.length;
    const asBearer = async (about) => {
      for (const isolate of ["first", "other"]) {
        for (const proof of [undefined, key.proof("GET", url, { token })]) {
          for (const scheme of ["Bearer", "bearer"]) {
            const answer = await show(isolate, url, token, proof, scheme);
            assert.deepEqual([answer.status, answer.headers.get("www-authenticate")], [401, 'Bearer error="invalid_token"'], `${isolate}, ${about}`);
          }
        }
        assertRefused(await show(isolate, url, token, undefined), "invalid_dpop_proof", `${isolate}, without a proof`);
        assertRefused(await show(isolate, url, token, newKey().proof("GET", url, { token })), "invalid_dpop_proof", `${isolate}, with another key`);
      }
    };
    await asBearer("which has not seen it");
    assert.equal(noted.length, before, "nothing arrives");
    assertStatus(await show("first", url, token, key.proof("GET", url, { token })), 200);
    await asBearer("of which the first has seen it");
    assertStatus(await show("other", url, token, key.proof("GET", url, { token })), 200);
    await asBearer("which have both seen it");
    assert.equal(noted.length, before + 2);
  }
});

server.endsWithoutLeaks();
