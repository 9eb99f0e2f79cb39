// @cloudflare/workers-oauth-provider: an issuer that keeps everything in KV. Who may sign in is nobody's question here.
import { OAuthProvider } from "@cloudflare/workers-oauth-provider";

const REDIRECT = "https://app.example/cb";

const people = {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/client") {
      const client = { redirectUris: [REDIRECT], clientName: "bench", tokenEndpointAuthMethod: "client_secret_post" };
      return Response.json(await env.OAUTH_PROVIDER.createClient(client));
    }
    if (pathname === "/authorize") {
      const asked = await env.OAUTH_PROVIDER.parseAuthRequest(request);
      const granted = { request: asked, userId: searchParams.get("state"), metadata: {}, scope: asked.scope, props: {}, revokeExistingGrants: false };
      return Response.json(await env.OAUTH_PROVIDER.completeAuthorization(granted));
    }
    return new Response("here");
  },
};

const api = { fetch: () => new Response("api") };

export default new OAuthProvider({
  apiRoute: "/api",
  apiHandler: api,
  defaultHandler: people,
  authorizeEndpoint: "/authorize",
  tokenEndpoint: "/oauth/token",
  resourceMetadata: { resource: "https://api.example/", authorization_servers: ["https://api.example"] },
  scopesSupported: ["orders:read", "offline_access"],
});
