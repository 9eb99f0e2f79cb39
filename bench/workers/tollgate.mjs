// tollgate's own validator. `./build/worker.js` is the crate built with the feature `harness`.
import Tollgate from "./build/worker.js";

import { face } from "./face.mjs";

const { harness_first, harness_forget, harness_load, harness_repeated } = Tollgate.prototype;

export default face({
  load: (config) => harness_load(config),
  prepare() {
    return {
      first: (token) => harness_first(token),
      repeated: (token) => harness_repeated(token),
      repeatedNow: true,
      rewind: () => harness_forget(),
    };
  },
});
