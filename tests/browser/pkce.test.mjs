// The built browser package, through its public face. Needs `make pkg` first.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { challenge, createVerifier, load } from "../../pkg/index.js";

const bytes = await readFile(new URL("../../pkg/wasm/tollgate_bg.wasm", import.meta.url));

test("a call before load() says what to do", () => {
  assert.throws(() => challenge("x".repeat(43)), /load\(\)/);
});

test("RFC 7636 appendix B", async () => {
  await load(bytes);
  assert.equal(challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
});

test("RFC 7636 section 4.1: a verifier is 43 unreserved characters, never the same twice", async () => {
  await load(bytes);
  const made = new Set(Array.from({ length: 100 }, () => createVerifier()));
  assert.equal(made.size, 100);
  for (const verifier of made) assert.match(verifier, /^[A-Za-z0-9._~-]{43}$/);
  for (const bad of ["a".repeat(42), "a".repeat(129), `${"a".repeat(43)}=`]) assert.throws(() => challenge(bad), /43 to 128/);
});

test("the module exports what the package needs and imports nothing of the worker", async () => {
  const module = await WebAssembly.compile(bytes);
  const functions = WebAssembly.Module.exports(module).filter(({ kind, name }) => kind === "function" && !name.startsWith("__"));
  assert.deepEqual(functions.map(({ name }) => name).sort(), ["challenge", "createVerifier"]);
  for (const { module: from } of WebAssembly.Module.imports(module)) assert.ok(!from.includes("cloudflare"), from);
});
