// tollgate's own validator. `./build/worker.js` is the crate built with the feature `harness`.
import { inTurns } from "./build/turns.js";
import Tollgate from "./build/worker.js";

import { face } from "./face.mjs";

const { harness_first, harness_forget, harness_load, harness_repeated, resume } = Tollgate.prototype;

export default face({
  load: (config) => harness_load(config),
  prepare() {
    return {
      first: (token) => inTurns(resume, (number) => harness_first(token, number)),
      repeated: (token) => harness_repeated(token),
      repeatedNow: true,
      rewind: () => harness_forget(),
    };
  },
});
