// Two client libraries that know nothing of tollgate, behind one face: what one of them sends, the other sends its own way.
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import * as openid from "openid-client";

import { REDIRECT } from "./issuer.mjs";

const insecure = { [oauth.allowInsecureRequests]: true };
const callback = (code) => new URL(`${REDIRECT}?code=${code}`);

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
        const parameters = oauth.validateAuthResponse(as, me, callback(code), oauth.expectNoState);
        const response = await oauth.authorizationCodeGrantRequest(as, me, auth, parameters, REDIRECT, code_verifier, insecure);
        return oauth.processAuthorizationCodeResponse(as, me, response, { expectedNonce: nonce, requireIdToken: nonce !== undefined });
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
        openid.authorizationCodeGrant(config, callback(code), { pkceCodeVerifier: code_verifier, expectedNonce: nonce, idTokenExpected: nonce !== undefined }),
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
