// Where things stand in the files, what the worker's parser says of them, and what people see of it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";

import { check } from "../../tools/check.mjs";
import { readDocument, tell } from "../../tools/document.mjs";
import { effectiveDocument } from "../../tools/effective.mjs";
import { environment, node, root } from "../../tools/project.mjs";
import { read, refused, route, write } from "./support.mjs";

/** Three files, in which there is something of everything. */
const DIVIDED = {
  "tollgate.json": `{
  "includes": ["routes/*.json", "blocks.json"],
  "realms": { "test": { "issuer": "http://127.0.0.1:8787/test", "allow_http": true } },
  "scopes": { "orders:read": { "description": "Read." }, "a.b": { "description": "x", "implies": ["orders:read"] }, "a": {}, "": {} },
  "roles": { "owner": { "abilities": ["x:y"] } }
}`,
  "routes/a.json": `{ "routes": [
  { "id": "first", "methods": ["GET", "HEAD"], "path": "/first", "anonymous": true, "to": { "service": "ORIGIN" } },
  { "id": "second", "use": "reads", "path": "/second" }
] }`,
  "routes/b.json": `{ "routes": [
  { "id": "a b", "use": "reads", "path": "/third" }
] }`,
  "blocks.json": `{
  "blocks": {
    "reads": {
      "methods": ["GET"],
      "require": { "scopes": ["orders:read",
                              "orders:raed"] }, "to": { "service": "ORIGIN" } } } }`,
};

test("what stands in the document is found in the files", () => {
  const path = write(DIVIDED);
  const { where } = readDocument(path);
  const near = (place) => JSON.parse(JSON.stringify(place).replaceAll(`${dirname(path)}/`, ""));
  for (const [at, want, more] of [
    ["(document)", "tollgate.json:1:1"],
    ["nothing.like.it", "tollgate.json:1:1"],
    ["realms", "tollgate.json:3:3"],
    ["realms.test.issuer", "tollgate.json:3:25"],
    ["realms.test.signing", "tollgate.json:3:15"],
    ["realms.tes", "tollgate.json:3:3"],
    ["roles.owner.abilities[0]", "tollgate.json:5:39"],
    ["roles.owner.abilities[7]", "tollgate.json:5:25"],
    ["scopes.orders:read.description", "tollgate.json:4:32"],
    ["scopes.a.b.implies[0]", "tollgate.json:4:99"],
    ["scopes.a.c", "tollgate.json:4:117"],
    ['scopes""', "tollgate.json:4:126"],
    ["routes", "routes/a.json:1:3"],
    ["routes[0].methods[1]", "routes/a.json:2:39", { route: { file: "routes/a.json", line: 2, column: 3, id: "first" } }],
    ["routes[0].colour", "routes/a.json:2:3", { route: { file: "routes/a.json", line: 2, column: 3, id: "first" } }],
    ["routes[1].path", "routes/a.json:3:37", { route: { file: "routes/a.json", line: 3, column: 3, id: "second" } }],
    ["routes[1].require.scopes[1]", "blocks.json:6:31", { route: { file: "routes/a.json", line: 3, column: 3, id: "second" }, block: "reads" }],
    ["routes[2].to.service", "blocks.json:6:57", { route: { file: "routes/b.json", line: 2, column: 3 }, block: "reads" }],
    ["routes[3]", "routes/a.json:1:3", { route: { file: "routes/a.json", line: 1, column: 3 } }],
  ]) {
    const { file, line, column, ...rest } = near(where(at));
    assert.equal(`${file}:${line}:${column}`, want, at);
    assert.deepEqual(rest, more ?? {}, at);
  }
});

test("a line and column of the document is found in the files, and in itself where it is passed on as it is", () => {
  const { text, at } = read({ "t.json": '{ "includes": ["a.json"], "a": "é",\n"b": [1, 2] }', "a.json": '{\n  "c": { "d": 1e999 } }' });
  assert.equal(text, '{\n  "a": "é",\n  "b": [1, 2],\n  "c": { "d": 1e999 }\n}\n');
  const found = (line, column) => {
    const place = at(line, column);
    return `${basename(place.file)}:${place.line}:${place.column}`;
  };
  assert.equal(found(3, 9), "t.json:2:7");
  assert.equal(found(4, 20), "a.json:2:15");
  assert.equal(found(99, 1), "a.json:2:15");
  const plain = read('{ "é": [1,\n 2] }');
  assert.deepEqual([plain.at(1, 9), plain.at(2, 2)].map(({ line, column }) => [line, column]), [[1, 8], [2, 2]]);
});

test("what the worker's parser finds wrong is told with the files that people edit, and once for each block", async () => {
  assert.deepEqual(await refused(DIVIDED), [
    'error: tollgate.json:4:126: scopes"": missing field `description`; add it',
  ]);
  const better = { ...DIVIDED, "tollgate.json": DIVIDED["tollgate.json"].replace(', "a": {}, "": {}', "") };
  assert.deepEqual(await refused(better), [
    "error: blocks.json:6:31: routes[1].require.scopes[1]: there is no scope `orders:raed`; add it under `scopes`, or correct the name (block `reads`, used by route `second` at routes/a.json:3:3 and 1 more)",
    "error: routes/b.json:2:5: routes[2].id: not a well-formed route id: 1 to 64 of A-Z a-z 0-9 - _",
  ]);
});

test("routes that overlap are told with both places", async () => {
  const lines = await refused({
    "t.json": '{ "includes": ["a.json", "b.json"] }',
    "a.json": { routes: [route("one")] },
    "b.json": { routes: [route("two", { path: "/{x}" }), route("one", { path: "/one/x" })] },
  });
  assert.ok(lines.every((line) => line.startsWith("error: b.json:1:")), lines.join("\n"));
  assert.match(lines.join("\n"), /routes\[2\]\.id: `one` is taken by routes\[0\] at a\.json:1:12; choose another/);
  const apart = await refused({
    "t.json": '{ "includes": ["a.json", "b.json"] }',
    "a.json": { routes: [route("one")] },
    "b.json": { routes: [route("two", { path: "/{x}" })] },
  });
  assert.match(apart.join("\n"), /^error: b\.json:1:12: routes\[1\].*could match the same request as route `one` \(routes\[0\] at a\.json:1:12\)/);
});

test("what only the worker's parser finds in a text is told with its line and column", async () => {
  const [line, ...more] = await refused({ "t.json": '{\n  // one\n  "includes": ["a.json"]\n}', "a.json": '{\n "scopes": {},\n "realms": { "a": 1e999 } }' });
  assert.equal(line, "error: a.json:3:19: (document): not readable as JSON: number out of range");
  assert.deepEqual(more, []);
  assert.deepEqual(await refused({ "t.json": '{\n "é": [1e999]\n}' }), ["error: t.json:2:12: (document): not readable as JSON: number out of range"]);
});

test("the configurations that are shipped are good", async () => {
  for (const path of ["tollgate.json", "examples/short-idle.json"]) await check(readDocument(join(root, path)));
});

test("the files that the manual shows are good", async () => {
  const manual = readFileSync(join(root, "docs/configuration.md"), "utf8");
  const shown = [...manual.matchAll(/^```jsonc\n\/\/ (\S+)\n([^]*?)^```$/gm)].map(([, name, text]) => [name, text]);
  assert.deepEqual(shown.map(([name]) => name), ["tollgate.json", "shared.json", "routes/orders.json"]);
  const document = readDocument(write(Object.fromEntries(shown)));
  assert.deepEqual(JSON.parse(document.text).routes.map(({ to }) => to.timeout_seconds), [10, 120]);
  await check(document);
});

test("a route may take back what its block gives", async () => {
  const files = {
    "t.json": {
      realms: { test: { issuer: "https://gate.example.com/test" } },
      blocks: { usual: { methods: ["GET"], host: "api.example.com", require: {}, to: { service: "ORIGIN" }, fields: { "a:b": ["c"] } } },
      roles: { owner: { abilities: ["a:b"] } },
      routes: [{ id: "usual", use: "usual", path: "/usual" }, { id: "open", use: "usual", path: "/open", host: null, require: null, fields: null, anonymous: true }],
    },
  };
  await check(read(files));
  delete files["t.json"].routes[1].require;
  assert.match((await refused(files)).join("\n"), /routes\[1\]/);
});

test("500 routes in 20 files take blocks, in well under a second, and are good", async () => {
  const files = {
    "tollgate.json": `// A large API
      { "includes": ["shared.json", "routes/*.json"], "realms": { "test": { "issuer": "https://gate.example.com/test" } } }`,
    "shared.json": { scopes: {}, blocks: { reads: { methods: ["GET", "HEAD"], to: { url: "https://api.internal.example.com", timeout_seconds: 30 } }, writes: { methods: ["POST", "PUT"] } } },
  };
  for (let file = 0; file < 20; file += 1) {
    const service = { to: { service: "ORIGIN", strip_prefix: `/part-${file}` } };
    const routes = Array.from({ length: 25 }, (_, number) => ({
      id: `part-${file}-${number}`,
      use: number % 2 === 0 ? "reads" : ["writes", `part-${file}`],
      path: `/part-${file}/things-${number}/{id}`,
      require: { scopes: [`part-${file}:read`], issuers: ["test"] },
    }));
    files[`routes/part-${file}.json`] = `// Part ${file}\n${JSON.stringify({ blocks: { [`part-${file}`]: service }, scopes: { [`part-${file}:read`]: { description: "Read." } }, routes }, undefined, 2)}`;
  }
  const path = write(files);
  const begin = performance.now();
  const document = readDocument(path);
  const took = performance.now() - begin;
  const { routes, ...rest } = JSON.parse(document.text);
  assert.equal(routes.length, 500);
  assert.deepEqual(Object.keys(rest).sort(), ["realms", "scopes"]);
  assert.equal(document.files.length, 22);
  assert.ok(took < 5000, `${took} ms`);
  assert.ok(document.text.length < 512 * 1024, `${document.text.length} bytes are more than may be put`);
  await check(document);
});

test("a local instance serves another port, and errors lead to the files all the same", async () => {
  const path = write({
    "t.json": '{ // here\n"includes": ["a.json"], "realms": { "test": { "issuer": "http://127.0.0.1:8787/test", "allow_http": true } } }',
    "a.json": '{ "resources": [{ "resource": "http://127.0.0.1:8787" }, null], "roles": { "owner": {} }, "scopes": { "s": { "implies": 1, "internal": true } }, "routes": [{ "id": "x" }] }',
  });
  const { document, realms, scopes, routes, roles } = effectiveDocument({ config: path, port: 9000 });
  assert.deepEqual(realms, { test: "http://127.0.0.1:9000/test" });
  assert.deepEqual([scopes, routes, roles], [[{ name: "s", internal: true, implies: [] }], [{ id: "x" }], ["owner"]]);
  assert.doesNotMatch(document.text, /8787/);
  assert.equal(document.text.match(/127\.0\.0\.1:9000/g).length, 2);
  const [line] = tell(document, [{ path: "routes[0]", problem: "missing field `path`; add it" }]);
  assert.ok(line.endsWith("/a.json:1:157: routes[0]: missing field `path`; add it (route `x`)"), line);
});

/** Runs the tool as a person does. */
const tool = (...args) => spawnSync(node(), [join(root, "tools/document.mjs"), ...args], { cwd: root, encoding: "utf8" });

test("the tool prints the document, or what is wrong, or how it is used", () => {
  const good = write(DIVIDED);
  const printed = tool(good);
  assert.deepEqual([printed.status, printed.stderr, printed.stdout], [0, "", readDocument(good).text]);
  const bad = tool(write({ "t.json": '{ "a": }' }));
  assert.deepEqual([bad.status, bad.stdout], [1, ""]);
  assert.match(bad.stderr, /^error: .*t\.json:1:8: a value is missing here[^\n]*\n$/);
  const missing = tool("/nowhere/tollgate.json");
  assert.deepEqual([missing.status, missing.stdout, missing.stderr], [1, "", "There is no configuration at /nowhere/tollgate.json.\n"]);
  const help = tool("--help");
  assert.equal(help.status, 0);
  assert.match(help.stdout, /^node tools\/document\.mjs FILE/);
  for (const args of [[], ["--what"], [good, good]]) {
    const usage = tool(...args);
    assert.deepEqual([usage.status, usage.stdout, usage.stderr], [2, "", `${help.stdout}\n`]);
  }
});

test("a document's place is shown as seen from where one stands", () => {
  const folder = dirname(write({ "sub/t.json": '{ "a": }' }));
  const { stderr } = spawnSync(node(), [join(root, "tools/document.mjs"), "sub/t.json"], { cwd: dirname(folder), encoding: "utf8" });
  assert.match(stderr, /^error: sub\/t\.json:1:8: /);
});

test("the checker reads files and standard input, and tells for people or for programs", () => {
  const bad = write({ "t.json": '{ "realm": {} }' });
  const checker = (args, input) => spawnSync("cargo", ["run", "--quiet", "--locked", "--no-default-features", "--bin", "tollgate-check", "--", ...args], { cwd: root, env: environment(), input, encoding: "utf8" });
  const says = "realm: unknown field `realm`";
  const [file, input, json] = [checker([bad]), checker(["-"], '{ "realm": {} }'), checker(["--json", bad, "-"], "{}")];
  assert.deepEqual([file.status, file.stdout], [1, ""]);
  assert.ok(file.stderr.startsWith(`error: ${bad}: ${says}`), file.stderr);
  assert.equal(input.status, 1);
  assert.ok(input.stderr.startsWith(`error: -: ${says}`), input.stderr);
  assert.deepEqual([json.status, json.stderr], [1, ""]);
  const { problem, ...rest } = JSON.parse(json.stdout);
  assert.deepEqual(rest, { file: bad, path: "realm" });
  assert.match(problem, /^unknown field `realm`/);
  assert.deepEqual([checker(["-"], "{}").status, checker(["--help"]).status, checker([]).status, checker(["--jason", "-"]).status], [0, 0, 2, 2]);
  assert.match(checker(["/nowhere.json"]).stderr, /^error: \/nowhere\.json: \(document\): cannot be read: /);
});
