// Every algorithm in workerd, with the vectors that the native tests verify in software (tests/vectors/algorithms.rs).
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, test } from "node:test";

import { startServer } from "../../tools/server.mjs";

const vectors = JSON.parse(await readFile(new URL("../vectors/algorithms.json", import.meta.url), "utf8"));
const configuration = JSON.parse(await readFile(new URL("algorithms.json", import.meta.url), "utf8"));

let server;
before(async () => {
  server = await startServer({ port: 8794, config: "tests/e2e/algorithms.json", devDir: ".dev-e2e-algorithms", seedDemo: false });
});
after(() => server?.stop());

const get = (token) => fetch(`${server.url}/echo/vectors`, { headers: { authorization: `Bearer ${token}` } });
const flip = (token, at) => {
  const [header, payload, signature] = token.split(".");
  const bytes = Buffer.from(signature, "base64url");
  bytes[at < 0 ? bytes.length + at : at % bytes.length] ^= 1;
  return [header, payload, bytes.toString("base64url")].join(".");
};

test("the configuration has the vectors' keys: `tests/vectors` says how to make new ones", () => {
  assert.deepEqual(configuration.issuers.map((issuer) => issuer.jwks.keys), vectors.map((vector) => [vector.key]));
});

for (const { alg, token } of vectors) {
  test(`${alg}: the vector passes, and passes again from memory`, async () => {
    for (let n = 0; n < 3; n += 1) assert.equal((await get(token)).status, 200);
  });

  test(`attack_15 ${alg}: no changed bit passes, after the good one as before`, async () => {
    for (const at of [0, 1, 31, 40, -1]) assert.equal((await get(flip(token, at))).status, 401, `byte ${at}`);
    const [header, payload, signature] = token.split(".");
    for (const other of [signature.slice(0, -4), `${signature}AAAA`, ""]) {
      assert.equal((await get([header, payload, other].join("."))).status, 401, "another length");
    }
  });

  test(`attack_48 ${alg}: another issuer's key does not sign for it`, async () => {
    const other = vectors.find((vector) => vector.alg !== alg);
    const [header, , signature] = token.split(".");
    assert.equal((await get([header, other.token.split(".")[1], signature].join("."))).status, 401);
  });
}
