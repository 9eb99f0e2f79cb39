// Asks the crate itself, built with the feature `harness`, whether a key has signed a token.
import { inTurns } from "./build/crossing.js";
import Tollgate from "./build/worker.js";

const { harness_verify, resume } = Tollgate.prototype;

const verify = ({ key, alg, token }) =>
  inTurns(resume, (number) => harness_verify(JSON.stringify(key), alg, token, number));

export default {
  async fetch(request) {
    if (request.method !== "POST") return new Response("ready");
    const asked = await request.json();
    return Response.json(await Promise.all(asked.map(verify)));
  },
};
