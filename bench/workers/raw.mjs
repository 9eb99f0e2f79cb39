// The floor: nothing but the platform's signature check, over bytes that were decoded ahead of time, with an imported key.
import { face } from "./face.mjs";

const ALGORITHMS = {
  HS256: { name: "HMAC", hash: "SHA-256" },
  RS256: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
  PS256: { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 },
  ES256: { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" },
  ES384: { name: "ECDSA", namedCurve: "P-384", hash: "SHA-384" },
  EdDSA: { name: "Ed25519" },
};

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
const encoder = new TextEncoder();

export default face({
  async prepare({ alg, jwk }) {
    const algorithm = ALGORITHMS[alg];
    if (!algorithm) throw new Error(`crypto.subtle has no ${alg}`);
    const { kty, crv, x, y, n, e, k } = jwk;
    const key = await crypto.subtle.importKey("jwk", { kty, crv, x, y, n, e, k }, algorithm, false, ["verify"]);
    const check = ({ signature, signed }) => crypto.subtle.verify(algorithm, key, signature, signed);
    const item = (token) => {
      const dot = token.lastIndexOf(".");
      return { signature: bytes(token.slice(dot + 1)), signed: encoder.encode(token.slice(0, dot)) };
    };
    return { first: check, repeated: check, item, onlySignatures: true };
  },
});
