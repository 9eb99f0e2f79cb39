// oidc-provider in a Node process of its own, with its own store, which is in memory. Access tokens are JWTs of ES256, as
// tollgate's are.
import { createServer } from "node:http";

import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

const [port, client_id, client_secret] = process.argv.slice(2);
const RESOURCE = "https://api.example";

const { privateKey } = await generateKeyPair("ES256", { extractable: true });
const key = { ...(await exportJWK(privateKey)), kid: "bench", alg: "ES256", use: "sig" };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: [key] },
  clients: [
    {
      client_id,
      client_secret,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: "client_secret_post",
      id_token_signed_response_alg: "ES256",
    },
  ],
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => RESOURCE,
      getResourceServerInfo: () => ({ scope: "orders:read", audience: RESOURCE, accessTokenFormat: "jwt", accessTokenTTL: 3600, jwt: { sign: { alg: "ES256" } } }),
    },
  },
});

createServer(provider.callback()).listen(Number(port), "127.0.0.1");
