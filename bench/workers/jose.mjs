// jose as its documentation shows it: a local key set for public keys, an imported key for HMAC.
import { createLocalJWKSet, importJWK, jwtVerify } from "jose";

import { face } from "./face.mjs";

export default face({
  async prepare({ alg, issuer, audience, jwk, typ }) {
    // Its key sets take no secrets. A secret as bytes would be imported anew for every token, so it gets the faster way.
    const key = jwk.kty === "oct" ? await importJWK(jwk, alg) : createLocalJWKSet({ keys: [jwk] });
    const options = { issuer, audience, algorithms: [alg], typ };
    const check = async (token) => {
      const { payload } = await jwtVerify(token, key, options);
      return payload.iss === issuer;
    };
    return { first: check, repeated: check };
  },
});
