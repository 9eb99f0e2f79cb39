// A worker around the module with the feature `harness`: validates the tokens that it is sent, a line each.
import { bytesOf, inTurns } from "./build/crossing.js";
import Tollgate from "./build/worker.js";

const { harness_first: start, harness_load: load, harness_memory: memory, harness_remembered: remembered, resume } = Tollgate.prototype;

const isValid = (token) => inTurns(resume, (number) => start(bytesOf(token), number));

export default {
  async fetch(request) {
    if (request.method !== "POST") return new Response();
    const text = await request.text();
    if (new URL(request.url).pathname === "/load") return Response.json(load(text) ?? {});
    let valid = 0;
    for (const token of text.split("\n")) if (await isValid(token)) valid += 1;
    return Response.json({ valid, memory: memory(), remembered: remembered() });
  },
};
