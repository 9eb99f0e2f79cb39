// Asks the crate itself, built with the feature `harness`, whether a key has signed a token.
import Tollgate from "./build/worker.js";

const { harness_verify: verify } = Tollgate.prototype;

export default {
  async fetch(request) {
    if (request.method !== "POST") return new Response("ready");
    const asked = await request.json();
    return Response.json(await Promise.all(asked.map(({ key, alg, token }) => verify(JSON.stringify(key), alg, token))));
  },
};
