// tollgate's two builds, where they are.
//
// - harness: `worker.js` and `index_bg.wasm`, the crate with the feature `harness`. The prototype of the default export has
//   `harness_load(text)`, `harness_first(token)` (a promise), `harness_repeated(token)` (a boolean at once) and `harness_forget()`
// - gateway: `index.js` and `index_bg.wasm`, the edge worker with target/bench/tollgate.json
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { modulesOf, to } from "./workerd.mjs";

/** tollgate with 10,000 routes. */
export const MANY = "tollgate-10000";

/** A secret of the bootstrap token's shape. */
export const newBootstrap = () => `tgb_${b64(32)}`;

const b64 = (bytes) => randomBytes(bytes).toString("base64url");

/** What is there, and a sentence on what is not. */
export function findBuilds({ harness, gateway }) {
  const look = (folder, main, what) => {
    const missing = [main, "index_bg.wasm"].filter((name) => !existsSync(join(folder, name)));
    if (missing.length === 0) return { folder };
    return { why: `no ${what} build: ${folder} has no ${missing.join(" and no ")}` };
  };
  return { harness: look(harness, "worker.js", "harness"), gateway: look(gateway, "index.js", "gateway") };
}

const OBJECTS = ["PrincipalDo", "KeyringDo", "DirectoryDo"];

/** The services that the gateway needs, itself and its key-value store; and where there is a build with `many` routes that one as well: another edge before the same objects. */
export function gatewayServices(folder, kv, bootstrap, many) {
  const kek = to.text(b64(32));
  const edge = (name, folder, objects) => ({
    name,
    modules: modulesOf(folder, "index.js"),
    bindings: {
      ORIGIN: to.service("upstream"),
      TOLLGATE_KV: to.kv("kv"),
      PRINCIPAL: objects("PrincipalDo"),
      KEYRING: objects("KeyringDo"),
      DIRECTORY: objects("DirectoryDo"),
      TOLLGATE_KEK: kek,
      TOLLGATE_BOOTSTRAP_TOKEN: to.text(bootstrap),
    },
  });
  return [
    { ...edge("tollgate", folder, to.durableObject), durableObjects: OBJECTS },
    ...(many ? [edge(MANY, many, (name) => to.durableObjectOf("tollgate", name))] : []),
    { name: "kv", modules: { "worker.js": kv }, socket: false },
  ];
}
