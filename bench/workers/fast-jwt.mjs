// fast-jwt with the key given once: without its cache for first-seen tokens, with it for a repeated one.
import { Buffer } from "node:buffer";

import { createVerifier } from "fast-jwt";

import { face } from "./face.mjs";

export default face({
  prepare({ alg, issuer, audience, jwk, pem, typ }) {
    const key = jwk.kty === "oct" ? Buffer.from(jwk.k, "base64url") : pem;
    const options = {
      key,
      algorithms: [alg],
      allowedIss: issuer,
      allowedAud: audience,
      checkTyp: typ,
      // It looks at claims only where they are.
      requiredClaims: ["iss", "aud", "exp"],
    };
    const [plain, cached] = [createVerifier({ ...options, cache: false }), createVerifier({ ...options, cache: true })];
    const says = (verify) => (token) => verify(token).iss === issuer;
    return { first: says(plain), firstNow: true, repeated: says(cached), repeatedNow: true };
  },
});
