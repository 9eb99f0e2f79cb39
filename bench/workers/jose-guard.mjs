// A guard as one would write it with jose.
import { createLocalJWKSet, jwtVerify } from "jose";

import { handOn, keySet, refusal } from "./guard.mjs";

let keys;

export default {
  async fetch(request, env) {
    const { issuer, audience, alg, typ } = env.GUARD;
    keys ??= createLocalJWKSet(await keySet(env));

    const [scheme, token] = (request.headers.get("authorization") ?? "").split(" ");
    if (scheme.toLowerCase() !== "bearer" || !token) return refusal(401, "Bearer");
    let payload;
    try {
      ({ payload } = await jwtVerify(token, keys, { issuer, audience, algorithms: [alg], typ }));
    } catch {
      return refusal(401, 'Bearer error="invalid_token"');
    }
    return handOn(request, env, payload);
  },
};
