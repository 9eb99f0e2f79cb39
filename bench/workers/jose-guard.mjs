// A guard as one would write it with jose.
import { createLocalJWKSet, jwtVerify } from "jose";

let keys;

const refusal = (challenge) => new Response(null, { status: 401, headers: { "www-authenticate": challenge } });

export default {
  async fetch(request, env) {
    const { issuer, audience, alg, typ, jwks } = env.GUARD;
    keys ??= createLocalJWKSet(jwks);

    const [scheme, token] = (request.headers.get("authorization") ?? "").split(" ");
    if (scheme.toLowerCase() !== "bearer" || !token) return refusal("Bearer");
    let payload;
    try {
      ({ payload } = await jwtVerify(token, keys, { issuer, audience, algorithms: [alg], typ }));
    } catch {
      return refusal('Bearer error="invalid_token"');
    }

    const headers = new Headers(request.headers);
    headers.delete("authorization");
    headers.set("x-user", payload.sub);
    return env.ORIGIN.fetch(new Request(request, { headers }));
  },
};
