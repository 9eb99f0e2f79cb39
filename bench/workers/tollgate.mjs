// tollgate's own validator. `./build/worker.js` is the crate built with the feature `harness`.
import Tollgate from "./build/worker.js";

import { face } from "./face.mjs";

const { harness_first, harness_forget, harness_load, harness_repeated, resume } = Tollgate.prototype;

/** As src/edge/entry.js does it: where the module waits for a promise, it is waited for here. */
async function first(token) {
  let turn = harness_first(token);
  while (Array.isArray(turn)) turn = resume(turn[1], true, await turn[0]);
  return turn;
}

export default face({
  load: (config) => harness_load(config),
  prepare() {
    return {
      first,
      repeated: (token) => harness_repeated(token),
      repeatedNow: true,
      rewind: () => harness_forget(),
    };
  },
});
