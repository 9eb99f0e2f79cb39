// tollgate's own validator. `./build/worker.js` is the crate built with the feature `harness`.
import { bytesOf, inTurns } from "./build/crossing.js";
import Tollgate from "./build/worker.js";

import { face } from "./face.mjs";

const { harness_first, harness_forget, harness_load, harness_repeated, resume } = Tollgate.prototype;

export default face({
  load: (config) => harness_load(config),
  prepare() {
    return {
      first: (token) => inTurns(resume, (number) => harness_first(bytesOf(token), number)),
      repeated: (token) => harness_repeated(bytesOf(token)),
      repeatedNow: true,
      rewind: () => harness_forget(),
    };
  },
});
