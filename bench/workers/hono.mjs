// What hono's `jwk` middleware calls for each request, with inline keys.
import { verifyWithJwks } from "hono/jwt";

import { face } from "./face.mjs";

export default face({
  prepare({ alg, issuer, audience, jwk, typ }) {
    if (jwk.kty === "oct") throw new Error("hono/jwk takes no symmetric algorithms");
    const options = { keys: [jwk], allowedAlgorithms: [alg], verification: { iss: issuer, aud: audience, typ } };
    const check = async (token) => {
      const payload = await verifyWithJwks(token, options);
      return payload.iss === issuer;
    };
    return { first: check, repeated: check };
  },
});
