// Tokens that are bound to the certificate of a connection (RFC 8705), by what the platform says of it.
// In plain workerd, whose socket makes `request.cf` of a header: what Cloudflare knows of the handshake, a test has to say.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";

import { gatewayServices, newBootstrap } from "../../bench/lib/tollgate.mjs";
import { startWorkerd } from "../../bench/lib/workerd.mjs";
import { root } from "../../tools/project.mjs";
import { buildWorker } from "../../tools/worker.mjs";
import { keySet, makeKey, tokenOf } from "./support/issuers.mjs";

const workers = join(root, "bench", "workers");
const folder = join(root, ".dev-e2e-certificates");
const key = makeKey("a");
const CF = "x-test-cf";

const digest = (name, encoding) => createHash("sha256").update(name).digest(encoding);
const bound = (name, changes) => tokenOf("good", key, { cnf: { "x5t#S256": digest(name, "base64url"), ...changes } });
/** As Cloudflare says it. */
const tls = (name, changes) => ({
  tlsClientAuth: { certPresented: "1", certVerified: "SUCCESS", certRevoked: "0", certFingerprintSHA256: digest(name, "hex"), ...changes },
});

const issuers = createServer((request, response) => void keySet([key])("", response));
let workerd;
before(async () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await new Promise((resolve, reject) => issuers.once("error", reject).listen(0, "127.0.0.1", resolve));
  const build = join(folder, "build");
  await buildWorker({ config: join(root, "tests", "e2e", "issuers.json"), out: build, log: (text) => text.startsWith("building ") && process.stderr.write(text) });
  const [gate, kv] = gatewayServices(build, join(workers, "kv.mjs"), newBootstrap());
  workerd = await startWorkerd(
    [
      { ...gate, fetches: "issuers", cfHeader: CF },
      // The same without Cloudflare: there is no `cf`, whatever a header says.
      { ...gate, name: "bare", fetches: "issuers" },
      kv,
      { name: "upstream", modules: { "worker.js": join(workers, "upstream.mjs") }, socket: false },
      { name: "issuers", address: `127.0.0.1:${issuers.address().port}` },
    ],
    folder,
  );
});
after(async () => {
  await workerd?.stop();
  issuers.close();
  issuers.closeAllConnections();
});

async function status(token, cf, { name = "tollgate", headers = {} } = {}) {
  const said = cf === undefined ? {} : { [CF]: JSON.stringify(cf) };
  const answer = await workerd.ask(name, "GET", "/echo/good", { headers: { ...headers, ...said, authorization: `Bearer ${token}` } });
  return answer.status;
}

test("a token counts over a connection with its certificate, the first time and from memory", { timeout: 30_000 }, async () => {
  const token = bound("its");
  for (let round = 0; round < 3; round++) {
    assert.equal(await status(token, tls("its")), 200);
    assert.equal(await status(token, tls("its", { certVerified: "FAILED:self signed certificate" })), 200);
    for (const cf of [
      undefined,
      {},
      { tlsClientAuth: null },
      { tlsClientAuth: "1" },
      tls("another"),
      tls("its", { certRevoked: "1" }),
      tls("its", { certRevoked: undefined }),
      tls("its", { certPresented: "0" }),
      tls("its", { certPresented: 1 }),
      tls("its", { certVerified: "NONE" }),
      tls("its", { certFingerprintSHA256: "" }),
    ]) {
      assert.equal(await status(token, cf), 401, JSON.stringify(cf));
    }
  }
});

test("one that is bound to a key as well is refused without its proof", { timeout: 30_000 }, async () => {
  const token = bound("its", { jkt: digest("key", "base64url") });
  assert.equal(await status(token, tls("its")), 401);
});

test("one that is bound to nothing needs no certificate", { timeout: 30_000 }, async () => {
  const token = tokenOf("good", key);
  for (const cf of [undefined, {}, tls("its")]) assert.equal(await status(token, cf), 200, JSON.stringify(cf));
});

test("no header says which certificate a connection has", { timeout: 30_000 }, async () => {
  const token = bound("its");
  const text = JSON.stringify(tls("its"));
  const names = ["cf", "cf-blob", "mf-cf-blob", "client-cert", "x-client-cert", "x-forwarded-client-cert", "cf-client-cert-sha256", "tlsclientauth"];
  const headers = Object.fromEntries(names.map((name) => [name, name.endsWith("256") ? digest("its", "hex") : text]));
  assert.equal(await status(token, undefined, { headers }), 401);
  assert.equal(await status(token, {}, { headers }), 401);
  assert.equal(await status(token, tls("its"), { name: "bare", headers }), 401, "no cf at all");
});
