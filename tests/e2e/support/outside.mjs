// An OpenID provider that knows nothing of tollgate: oidc-provider, in this process. Its people have no pages: whoever comes is signed in, or not.
import { createServer } from "node:http";
import { after } from "node:test";

import { exportJWK, generateKeyPair } from "jose";
import { Provider } from "oidc-provider";

/** Serves until the file is through. `act` is what the next person is: `{ sub, email, email_verified, name }`; `null` says no. */
export async function startOutside({ port, client_id, client_secret, redirect_uri }) {
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const people = new Map();
  const acting = { person: null };
  const provider = new Provider(issuer, {
    jwks: { keys: [{ ...(await exportJWK(privateKey)), kid: "outside", alg: "RS256", use: "sig" }] },
    clients: [{ client_id, client_secret, redirect_uris: [redirect_uri] }],
    claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"] },
    findAccount: (_, sub) => ({ accountId: sub, claims: () => people.get(sub) }),
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    cookies: { keys: ["of these tests"] },
  });
  const interact = async (request, response) => {
    const { prompt, params, session } = await provider.interactionDetails(request, response);
    const { person } = acting;
    let result;
    if (person === null) {
      result = { error: "access_denied", error_description: "the person said no" };
    } else if (prompt.name === "login") {
      people.set(person.sub, person);
      result = { login: { accountId: person.sub } };
    } else {
      const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
      grant.addOIDCScope(params.scope);
      result = { consent: { grantId: await grant.save() } };
    }
    await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: true });
  };
  const callback = provider.callback();
  const seen = [];
  const server = createServer((request, response) => {
    seen.push(request.url);
    if (!request.url.startsWith("/interaction/")) return void callback(request, response);
    interact(request, response).catch((error) => response.writeHead(500).end(String(error)));
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { issuer, seen, act: (person) => void (acting.person = person) };
}
