// Two client libraries that know nothing of tollgate, behind one face: what one of them sends, the other sends its own way.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

import { REDIRECT } from "./issuer.mjs";

const insecure = { [oauth.allowInsecureRequests]: true };
// RFC 9207: whoever is promised `iss` wants to see it.
const callback = (code, issuer) => new URL(`${REDIRECT}?${new URLSearchParams({ code, iss: issuer })}`);

/** How a client authenticates: its `key` is `{ key, kid }`. */
const ways = (library) => ({
  client_secret_basic: ({ client_secret }) => library.ClientSecretBasic(client_secret),
  client_secret_post: ({ client_secret }) => library.ClientSecretPost(client_secret),
  private_key_jwt: ({ key }) => library.PrivateKeyJwt(key),
  none: () => library.None(),
});

const byOauth4webapi = {
  name: "oauth4webapi",
  async open(issuer, client, method) {
    const url = new URL(issuer);
    const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure));
    const me = { client_id: client.client_id };
    const auth = ways(oauth)[method](client);
    return {
      as,
      async grant(parameters) {
        return oauth.processClientCredentialsResponse(as, me, await oauth.clientCredentialsGrantRequest(as, me, auth, parameters, insecure));
      },
      async refresh(token) {
        return oauth.processRefreshTokenResponse(as, me, await oauth.refreshTokenGrantRequest(as, me, auth, token, insecure));
      },
      async redeem({ code, code_verifier, nonce }) {
        const parameters = oauth.validateAuthResponse(as, me, callback(code, as.issuer), oauth.expectNoState);
        const response = await oauth.authorizationCodeGrantRequest(as, me, auth, parameters, REDIRECT, code_verifier, insecure);
        return oauth.processAuthorizationCodeResponse(as, me, response, { expectedNonce: nonce, requireIdToken: nonce !== undefined });
      },
      /** Where to send a browser; `finish` takes the address that it came back to. */
      async signIn({ scope, pushed = false, ...more }) {
        const [verifier, nonce, state] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomNonce(), oauth.generateRandomState()];
        const url = new URL(as.authorization_endpoint);
        const code_challenge = await oauth.calculatePKCECodeChallenge(verifier);
        const all = { client_id: me.client_id, redirect_uri: REDIRECT, response_type: "code", scope, code_challenge, code_challenge_method: "S256", nonce, state, ...more };
        if (pushed) {
          const response = await oauth.pushedAuthorizationRequest(as, me, auth, all, insecure);
          const { request_uri } = await oauth.processPushedAuthorizationResponse(as, me, response);
          url.search = new URLSearchParams({ client_id: me.client_id, request_uri });
        } else {
          for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
        }
        const finish = async (address) => {
          const parameters = oauth.validateAuthResponse(as, me, new URL(address), state);
          const response = await oauth.authorizationCodeGrantRequest(as, me, auth, parameters, REDIRECT, verifier, insecure);
          const tokens = await oauth.processAuthorizationCodeResponse(as, me, response, { expectedNonce: nonce, requireIdToken: true });
          await oauth.validateApplicationLevelSignature(as, response, insecure);
          return { tokens, claims: oauth.getValidatedIdTokenClaims(tokens) };
        };
        return { url, finish };
      },
      signOut: (parameters) => new URL(`${as.end_session_endpoint}?${new URLSearchParams(parameters)}`),
      async userinfo(token, subject) {
        return oauth.processUserInfoResponse(as, me, subject, await oauth.userInfoRequest(as, me, token, insecure));
      },
      async revoke(token) {
        await oauth.processRevocationResponse(await oauth.revocationRequest(as, me, auth, token, insecure));
      },
      async introspect(token) {
        return oauth.processIntrospectionResponse(as, me, await oauth.introspectionRequest(as, me, auth, token, insecure));
      },
    };
  },
  async register(issuer, metadata, initialAccessToken) {
    const url = new URL(issuer);
    const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, insecure));
    return oauth.processDynamicClientRegistrationResponse(await oauth.dynamicClientRegistrationRequest(as, metadata, { ...insecure, initialAccessToken }));
  },
};

const execute = [openid.allowInsecureRequests];

const byOpenidClient = {
  name: "openid-client",
  async open(issuer, client, method) {
    const config = await openid.discovery(new URL(issuer), client.client_id, {}, ways(openid)[method](client), { execute });
    return {
      as: config.serverMetadata(),
      grant: (parameters) => openid.clientCredentialsGrant(config, parameters),
      refresh: (token) => openid.refreshTokenGrant(config, token),
      redeem: ({ code, code_verifier, nonce }) =>
        openid.authorizationCodeGrant(config, callback(code, issuer), { pkceCodeVerifier: code_verifier, expectedNonce: nonce, idTokenExpected: nonce !== undefined }),
      async signIn({ scope, pushed = false, ...more }) {
        const [verifier, nonce, state] = [openid.randomPKCECodeVerifier(), openid.randomNonce(), openid.randomState()];
        const code_challenge = await openid.calculatePKCECodeChallenge(verifier);
        const all = { redirect_uri: REDIRECT, scope, code_challenge, code_challenge_method: "S256", nonce, state, ...more };
        const url = pushed ? await openid.buildAuthorizationUrlWithPAR(config, all) : openid.buildAuthorizationUrl(config, all);
        const finish = async (address) => {
          const checks = { pkceCodeVerifier: verifier, expectedNonce: nonce, expectedState: state, idTokenExpected: true };
          const tokens = await openid.authorizationCodeGrant(config, new URL(address), checks);
          return { tokens, claims: tokens.claims() };
        };
        return { url, finish };
      },
      signOut: (parameters) => openid.buildEndSessionUrl(config, parameters),
      userinfo: (token, subject) => openid.fetchUserInfo(config, token, subject),
      revoke: (token) => openid.tokenRevocation(config, token),
      introspect: (token) => openid.tokenIntrospection(config, token),
    };
  },
  async register(issuer, metadata, initialAccessToken) {
    const config = await openid.dynamicClientRegistration(new URL(issuer), metadata, undefined, { execute, initialAccessToken });
    return { ...config.clientMetadata() };
  },
};

export const LIBRARIES = [byOauth4webapi, byOpenidClient];

/** Asserts that a library reports this code of RFC 6749. */
export async function assertRejects(promise, error) {
  await assert.rejects(promise, (thrown) => {
    assert.equal(thrown.error ?? thrown.cause?.error, error, thrown.message);
    return true;
  });
}
