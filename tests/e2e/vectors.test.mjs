// Published signatures in workerd, through the very verifier of the worker: what they sign is nothing that a gate would let pass,
// so they are asked about directly. Natively tests/vectors does the same.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { modulesOf, startWorkerd } from "../../bench/lib/workerd.mjs";
import { root } from "../../tools/project.mjs";
import { buildWorker } from "../../tools/worker.mjs";

const readJson = (path) => JSON.parse(readFileSync(new URL(`../vectors/${path}`, import.meta.url), "utf8"));

/** Without its private part. */
const publicKey = ({ d, p, q, dp, dq, qi, ...key }) => key;
const material = ({ kty, crv, n, x, k, pub }) => [kty, crv, n, x, k, pub].join();
const headerOf = (token) => JSON.parse(Buffer.from(token.split(".")[0], "base64url"));

const own = readJson("algorithms.json").map(({ alg, key, token }) => ({ name: alg, alg, key, token }));
const rfc7515 = readJson("rfc/rfc7515_appendix_a.json")
  .vectors.filter(({ alg }) => alg !== "none")
  .map(({ name, alg, key, compact }) => ({ name, alg, key, token: compact }));
const others = readJson("rfc/rfc7636_7638_8037_9449.json").flatMap(({ name, jwk, compact, proof }) => {
  if (compact) return [{ name, alg: "EdDSA", key: jwk, token: compact }];
  return proof ? [{ name, alg: "ES256", key: headerOf(proof).jwk, token: proof }] : [];
});
// The one with an unencoded payload is no token here: tests/attacks has it.
const cookbook = readdirSync(new URL("../vectors/jose-cookbook/", import.meta.url))
  .filter((name) => name.endsWith(".json") && name !== "b64_false.json")
  .map((name) => ({ name, ...readJson(`jose-cookbook/${name}`) }))
  .map(({ name, input, output: { compact: token } }) => ({ name, alg: headerOf(token).alg, key: input.key, token }));
// Detached, unprotected, many at once, encrypted, nested: no form of token here.
const forms = (value) =>
  Object.entries(value ?? {}).flatMap(([name, inner]) => {
    if (name === "output") return Object.values(inner).map((form) => (typeof form === "string" ? form : JSON.stringify(form)));
    return typeof inner === "object" ? forms(inner) : [];
  });
const keysIn = (value) =>
  value === null || typeof value !== "object" ? [] : [...(value.kty ? [publicKey(value)] : []), ...Object.values(value).flatMap(keysIn)];
const refused = readdirSync(new URL("../vectors/jose-cookbook/refused/", import.meta.url)).map((name) => {
  const file = readJson(`jose-cookbook/refused/${name}`);
  const keys = keysIn(file);
  // One has a password, which is no key: then any will do.
  return { name, texts: forms(file), keys: keys.length > 0 ? keys : own.map(({ key }) => publicKey(key)) };
});
const vectors = [...own, ...rfc7515, ...others, ...cookbook].map((vector) => ({ ...vector, key: publicKey(vector.key) }));

const folder = join(root, ".dev-e2e-vectors");
let workerd;
before(async () => {
  mkdirSync(folder, { recursive: true });
  const build = join(folder, "build");
  await buildWorker({ config: join(root, "tollgate.json"), out: build, features: "harness" });
  const main = join(root, "tests", "e2e", "support", "vectors-worker.js");
  const modules = { "main.js": main, ...modulesOf(build, "worker.js", "build/") };
  workerd = await startWorkerd([{ name: "vectors", modules }], folder);
});
after(() => workerd?.stop());

async function verify(asked) {
  const { status, text } = await workerd.ask("vectors", "POST", "/", { body: JSON.stringify(asked) });
  assert.equal(status, 200, text);
  return JSON.parse(text);
}

test("there are vectors from every source", () => {
  assert.deepEqual([own.length, rfc7515.length, others.length, cookbook.length, refused.length], [17, 4, 3, 5, 20]);
});

for (const { name, alg, key, token } of vectors) {
  test(`${name} (${alg}) verifies, by its own algorithm alone and unchanged alone`, async () => {
    const [head, payload, signature] = token.split(".");
    const bytes = Buffer.from(signature, "base64url");
    const signed = (signature) => [head, payload, Buffer.from(signature).toString("base64url")].join(".");
    const flipped = [0, 1, bytes.length >> 1, bytes.length - 1].map((at) => signed(bytes.map((byte, n) => (n === at ? byte ^ 1 : byte))));
    const resized = [bytes.subarray(1), bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.alloc(1)]), Buffer.alloc(0)].map(signed);
    const otherPayload = [head, "e30", signature].join(".");
    const algorithms = own.map((vector) => vector.alg).filter((other) => other !== alg);
    const wrong = [
      ...algorithms.map((other) => ({ key, alg: other, token })),
      ...[...flipped, ...resized, otherPayload].map((changed) => ({ key, alg, token: changed })),
      ...vectors.filter((other) => material(other.key) !== material(key)).map((other) => ({ key: other.key, alg, token })),
    ];
    const answers = await verify([{ key, alg, token }, ...wrong]);
    const passed = wrong.filter((_, n) => answers[n + 1] !== false).map(({ key: { kty, kid }, alg, token }) => ({ kty, kid, alg, token }));
    assert.equal(answers[0], true);
    assert.deepEqual(passed, []);
  });
}

for (const { name, texts, keys } of refused) {
  test(`${name}: none of its forms verifies, by whatever key and algorithm`, async () => {
    assert.ok(texts.length > 0);
    const tokens = texts.flatMap((text) => [text, Buffer.from(text).toString("base64url")]);
    const asked = tokens.flatMap((token) => keys.flatMap((key) => own.map(({ alg }) => ({ key, alg, token }))));
    const answers = await verify(asked);
    const passed = asked.filter((_, n) => answers[n] !== false).map(({ key: { kid }, alg }) => ({ kid, alg }));
    // What is inside the nested one is a good signature, by one of two keys.
    assert.deepEqual(passed, name.startsWith("6.") ? [{ kid: "hobbiton.example", alg: "PS256" }] : []);
  });
}
