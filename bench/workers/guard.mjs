// What both guards do besides checking the signature: the checks of the route that tollgate is measured with, and who is calling for the upstream.
const ROUTE = /^\/orders\/[^/]+$/;
const SCOPE = "orders:read";
const GRAIN_MS = 15_000;
// As a guard does it that believes for a grain what it was told of a session; nobody is asked here, ever.
const alive = new Map();

const OURS = ["x-user", "x-client", "x-scope", "x-issuer", "x-request-id"];

export const refusal = (status, challenge) => new Response(null, { status, headers: { "www-authenticate": challenge } });

let keys;

/** The realm's key set, asked for once. */
export const keySet = (env) => (keys ??= env.ISSUER.fetch(`${env.GUARD.issuer}/jwks`).then((response) => response.json()));

/** Asks the upstream on behalf of whoever the claims are about, or refuses. */
export function handOn(request, env, claims) {
  const { pathname } = new URL(request.url);
  if (request.method !== "GET" || !ROUTE.test(pathname)) return new Response(null, { status: 404 });
  if (!claims.scope?.split(" ").includes(SCOPE)) return refusal(403, `Bearer error="insufficient_scope", scope="${SCOPE}"`);
  const now = Date.now();
  if (!(alive.get(claims.sid) > now)) alive.set(claims.sid, now + GRAIN_MS);

  const headers = new Headers(request.headers);
  headers.delete("authorization");
  for (const name of OURS) headers.delete(name);
  headers.set("x-user", claims.sub);
  headers.set("x-client", claims.client_id);
  headers.set("x-scope", claims.scope);
  headers.set("x-issuer", claims.iss);
  headers.set("x-request-id", crypto.randomUUID());
  return env.ORIGIN.fetch(new Request(request, { headers }));
}
