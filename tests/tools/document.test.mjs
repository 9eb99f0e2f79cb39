// What people write, and the document that the worker gets of it: comments, includes, blocks.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";

import { DEEPEST_FILE, MOST_FILES } from "../../tools/document/includes.mjs";
import { DEEPEST, MOST_BYTES } from "../../tools/document/source.mjs";
import { DocumentError, readDocument } from "../../tools/document.mjs";
import { root } from "../../tools/project.mjs";
import { read, resolved, route, write, wrong } from "./support.mjs";

test("a document that uses nothing of this is passed on byte for byte", () => {
  for (const text of [
    "{}",
    ' {\r\n\t"a" :[ 1.50e+2,-0 , "\\u00e9\\/é" ] }\n\n',
    '{"routes":[{"id":"a","to":{"use":1,"blocks":{},"includes":[]}}],"$schema":null}',
    '{ "a": 123456789012345678901234567890.10, "b": "// no comment /* neither */", "c": 1e999 }',
  ]) {
    const document = read(text);
    assert.equal(document.text, text);
    assert.equal(document.files.length, 1);
  }
});

test("comments and trailing commas are read over, and what is written of numbers and texts stays", () => {
  const { text } = read(`// before
    {
      /* a block
         comment */ "a": 123456789012345678901234567890.10, // behind
      "b": [1.50E+2, -0, 0.1e-7, 1e999,], "\\u0063": "\\u00e9\\/é // no comment", // "d": 1,
      "e": { "f": null, "g": [ ], "h": { }, "i": true /**/ , },
    } /* after */`);
  assert.equal(text, `{
  "a": 123456789012345678901234567890.10,
  "b": [1.50E+2, -0, 0.1e-7, 1e999],
  "\\u0063": "\\u00e9\\/é // no comment",
  "e": { "f": null, "g": [], "h": {}, "i": true }
}
`);
});

test("how the files are laid out and commented changes nothing of the document", () => {
  const one = read('{ "routes": [ /**/ { "id": "a", "path": "/a" }, { "id": "b" } ], "scopes": { "s": { "description": "x" } } }');
  const other = read({
    "tollgate.json": '{"$schema":"docs/tollgate.source.schema.json",\n"routes":[{"id":"a",\n\n"path":"/a"}],"includes":["b.json"]}',
    "b.json": '// b\n{"scopes":{"s":{"description":"x"}},\r\n"routes":[{"id":"b",},],}',
  });
  assert.equal(one.text, other.text);
});

test("what does not fit into a line of 120 characters is divided", () => {
  const text = read({ "tollgate.json": { includes: [], routes: [route("a"), route("b".repeat(60))] } }).text;
  assert.ok(text.split("\n").every((line) => line.length <= 120));
  assert.match(text, /^ {4}\{ "id": "a", .* \},$/m);
  assert.match(text, /^ {6}"id": "b{60}",\n {6}"methods": \["GET"\],$/m);
});

const SUITE = join(root, "tests/vectors/jsontestsuite");
const suite = (kind) => {
  const names = readdirSync(SUITE).filter((name) => name.startsWith(kind) && name.endsWith(".json"));
  assert.ok(names.length > 30);
  return names.map((name) => [name, readFileSync(join(SUITE, name))]);
};
/** As the value of a member, with a comment behind it, so that it is printed anew. */
const member = (bytes) => Buffer.concat([Buffer.from('{"x":'), bytes, Buffer.from("\n}//")]);

test("what is JSON is read, and comes out as what it was", () => {
  for (const [name, bytes] of suite("y_")) {
    const path = write({ [name]: member(bytes) });
    if (name.includes("duplicated_key")) assert.throws(() => readDocument(path), /stands in this object already/, name);
    else assert.deepEqual(JSON.parse(readDocument(path).text).x, JSON.parse(bytes.toString()), name);
  }
});

test("what is not JSON is refused, but for comments and trailing commas", () => {
  const accepted = [];
  for (const [name, bytes] of suite("n_")) {
    try {
      JSON.parse(readDocument(write({ [name]: member(bytes) })).text);
      accepted.push(name);
    } catch (error) {
      assert.ok(error instanceof DocumentError, `${name}: ${error.stack}`);
    }
  }
  assert.deepEqual(accepted, [
    "n_array_comma_after_close.json", // which is a trailing comma of what is around it here
    "n_array_extra_comma.json",
    "n_array_number_and_comma.json",
    "n_object_trailing_comma.json",
    "n_object_trailing_comment.json",
    "n_object_trailing_comment_slash_open.json",
    "n_structure_object_with_comment.json",
  ]);
});

test("of what JSON leaves open, only JSON comes out", () => {
  for (const [name, bytes] of suite("i_")) {
    const path = write({ [name]: member(bytes) });
    try {
      JSON.parse(readDocument(path).text);
    } catch (error) {
      assert.ok(error instanceof DocumentError, `${name}: ${error.stack}`);
    }
  }
});

/** A generator of the same numbers in each run (xorshift32). */
function random(seed) {
  let state = seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

test("whatever is written and commented, and however it is divided, comes out with its own digits and texts", () => {
  const pick = random(42);
  const one = (list) => list[pick(list.length)];
  const gap = () => one(["", "", " ", "\n", "\r\n\t", "/* , ] } \" */", "// { [ \" \n", "/**/"]);
  const literal = () => one(["0", "-0", "1.0", "10E-3", `${pick(1e9)}${pick(1e9)}.${pick(1e9)}e${pick(400)}`, "true", "null", '"\\u0041\\n"', '"//"', '"/*"', '"é\u2028"', `"${pick(1e6)}"`]);
  const end = () => (pick(3) === 0 ? "," : "");
  // What is written, and the same without gaps.
  const value = (depth) => {
    const kind = depth > 4 ? 0 : pick(4);
    if (kind < 2) return Array(2).fill(literal());
    const items = Array.from({ length: pick(4) }, (_, number) => {
      const [text, bare] = value(depth + 1);
      const name = kind === 2 ? "" : `"n${number}${one(["", ".", "[0]", "é"])}"`;
      return name ? [`${gap()}${name}${gap()}:${gap()}${text}${gap()}`, `${name}:${bare}`] : [`${gap()}${text}${gap()}`, bare];
    });
    const [open, close] = kind === 2 ? "[]" : "{}";
    const last = items.length > 0 ? `${end()}${gap()}` : gap();
    return [`${open}${items.map(([text]) => text).join(",")}${last}${close}`, `${open}${items.map(([, bare]) => bare).join(",")}${close}`];
  };
  // White space outside of texts; there is none in the texts above.
  const squeezed = (text) => text.replace(/[ \n]/g, "");
  for (let round = 0; round < 400; round += 1) {
    const parts = Array.from({ length: 1 + pick(4) }, () => value(0));
    const files = parts.map(([text], number) => `${gap()}{${gap()}"m${number}":${text}${number + 1 < parts.length ? `, "includes": [${gap()}"f${number + 1}.json"${end()}]` : ""}${end()}${gap()}}${gap()}`);
    const { text } = read(Object.fromEntries(files.map((file, number) => [`f${number}.json`, `${file}\n`])));
    const want = `{${parts.map(([, bare], number) => `"m${number}":${bare}`).join(",")}}`;
    if (text !== `${files[0]}\n`) assert.equal(squeezed(text), squeezed(want));
    JSON.parse(text);
  }
});

test("a file that is no JSON is told with its line and column, and what to do", () => {
  for (const [text, ...want] of [
    ['{\n  "a": 1\n  "b": 2\n}', "3:3: a comma is missing before this; add it"],
    ['{ "a" 1 }', "1:7: a colon is missing between a name and its value; add it"],
    ['{ "a": , "b": 1 }', "1:8: nothing stands before this comma; remove it, or write what is missing"],
    ['{ "a": [1,,2] }', "1:11: nothing stands before this comma; remove it, or write what is missing"],
    ["{,}", "1:2: nothing stands before this comma; remove it, or write what is missing"],
    ['{ "a": }', "1:8: a value is missing here; write it, or remove what announces it"],
    ["{ a: 1 }", "1:3: `a` is no JSON; texts stand in double quotes"],
    ["{ 'a': 1 }", "1:3: `'a'` is no JSON; texts stand in double quotes"],
    ["{ 1: 1 }", "1:3: a member's name is expected here; write it in double quotes"],
    ['{ "a": True }', "1:8: `True` is no JSON; texts stand in double quotes, and there are `true`, `false` and `null`"],
    ['{ "a": .5 }', "1:8: `.5` is no JSON"],
    ['{ "a": 01 }', "1:9: a comma is missing before this; add it"],
    ['{ "a": 1. }', "1:8: this number lacks digits; write them"],
    ['{ "a": 1e }', "1:8: this number lacks digits; write them"],
    ['{ "a": "b\n" }', '1:8: this text does not end in its line; add `"`, or write `\\n` for a new line'],
    ['{ "a": "\\q" }', "1:8: a backslash stands before a character that needs none in this text; write `\\\\` for a backslash"],
    ['{ "a": "\\u12" }', "1:8: `\\u` is not followed by four hexadecimal digits in this text; write them"],
    ['{ "a": "\t" }', "1:8: a control character stands in this text; write its escape, such as `\\t`"],
    ['{ "a": "\\ud800" }', "1:8: half of a pair of `\\u` escapes stands alone in this text; write both"],
    ['{ "\\udc00": 1 }', "1:3: half of a pair of `\\u` escapes stands alone in this text; write both"],
    ['{\n/* a', "2:1: this comment does not end; add `*/`"],
    ['{ "a": 1 } // x\n{ }', "2:1: the document has ended before this; remove it"],
    ['{ "b": {\n "a": [1', "2:9: the array that begins in line 2 does not end; add `]`"],
    ['{ "b": {\n "a": [1]', "2:10: the object that begins in line 1 does not end; add `}`"],
    ["", "1:1: a value is missing here; write it, or remove what announces it"],
    ["// nothing\n", "2:1: a value is missing here; write it, or remove what announces it"],
    ["[]", "1:1: a configuration is one object; put it in `{` and `}`"],
    ["\ufeff{}", "1:1: the file begins with a byte order mark; save it as UTF-8 without one"],
    [`{ "a": ${"[".repeat(100_000)}`, `1:${8 + DEEPEST - 1}: this is nested more than ${DEEPEST} deep; nothing in a configuration is`],
    // Several of these come in one run.
    ['{ "a": 1,\n "b": { "c": 1, "c": 2 }, "\\u0061": 3 }', '2:17: "c" stands in this object already, in line 2; keep one', '2:27: "\\u0061" stands in this object already, in line 1; keep one'],
  ]) {
    const lines = wrong(text);
    assert.equal(lines.length, want.length, lines.join("\n"));
    want.forEach((says, number) => assert.ok(lines[number].startsWith(`error: tollgate.json:${says}`), `${says}\n${lines[number]}`));
  }
  assert.deepEqual(wrong(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])), ["error: tollgate.json:1:1: tollgate.json is not UTF-8; save it as that"]);
});

test("nested as deep as it may be, a document is read", () => {
  const text = `{ "a": ${"[".repeat(DEEPEST - 1)}${"]".repeat(DEEPEST - 1)} }`;
  assert.equal(read(text).text, text);
});

test("arrays are appended in order, objects are merged by name, and what is single stands once", () => {
  const { text, files } = read({
    "tollgate.json": '{ "includes": ["routes/*.json", "more/scopes.json"], "managed_from": "test", "routes": [{ "id": "own" }], "realms": { "test": {} } }',
    "routes/b.json": '{ "routes": [{ "id": "b" }], "scopes": { "b": 1 } }',
    "routes/a.json": '{ "includes": ["../more/roles.json"], "routes": [{ "id": "a1" }, { "id": "a2" }] }',
    "routes/B.json": '{ "$schema": "anywhere", "routes": [{ "id": "B" }] }',
    "routes/.hidden.json": "not read",
    "routes/notes.txt": "not read",
    "routes/old.json/x.json": "not read",
    "more/roles.json": '{ "roles": { "owner": {} }, "routes": [{ "id": "roles" }] }',
    "more/scopes.json": '{ "scopes": { "a": 2 }, "realms": { "other": { "issuer": "x" } } }',
  });
  assert.deepEqual(JSON.parse(text), {
    managed_from: "test",
    routes: ["own", "B", "a1", "a2", "roles", "b"].map((id) => ({ id })),
    realms: { test: {}, other: { issuer: "x" } },
    roles: { owner: {} },
    scopes: { b: 1, a: 2 },
  });
  assert.deepEqual(files.map((file) => basename(file)), ["tollgate.json", "B.json", "a.json", "roles.json", "b.json", "scopes.json"]);
});

test("a file may include by ./ and .. as long as it stays, and a document may be named by a link", () => {
  const path = write({ "a/tollgate.json": '{ "includes": ["./b/../c/x.json"] }', "a/c/x.json": '{ "includes": ["../y.json"] }', "a/y.json": '{ "routes": [] }' });
  assert.deepEqual(JSON.parse(readDocument(path).text), { routes: [] });
  const link = join(dirname(path), "..", "link.json");
  symlinkSync(path, link);
  assert.deepEqual(JSON.parse(readDocument(link).text), { routes: [] });
});

test("names that JavaScript knows are names", () => {
  const files = { "tollgate.json": '{ "includes": ["a.json"], "__proto__": { "a": 1 }, "constructor": [1] }', "a.json": '{ "__proto__": { "__proto__": 2 }, "constructor": [2] }' };
  assert.equal(read(files).text, '{\n  "__proto__": { "a": 1, "__proto__": 2 },\n  "constructor": [1, 2]\n}\n');
});

test("includes that lead nowhere, elsewhere or in a circle are told", () => {
  for (const [files, ...want] of [
    [{ "t.json": '{ "includes": "a.json" }' }, "t.json:1:3: `includes` is an array of paths; write `[` and `]` around them"],
    [{ "t.json": '{ "includes": ["", 1,\n "a//b.json", "/etc/x.json", "C:/x", "a\\\\b"] }' },
      "t.json:1:16: this is empty; name a file",
      "t.json:1:20: this is no text; name a file",
      "t.json:2:2: a part of this path is empty; name a file",
      "t.json:2:15: this path is absolute; write it as seen from this file",
      "t.json:2:30: this path is absolute; write it as seen from this file",
      "t.json:2:38: a path has `/` between its parts; write it so",
    ],
    [{ "t.json": '{ "includes": ["a.json", "b", "x*.json", "c/*.json"] }', "b/x.json": "" },
      "t.json:1:16: there is no file a.json; correct the path",
      "t.json:1:26: b is a folder; name its files, such as `b/*.json`",
      "t.json:1:31: no file is x*.json; correct the pattern, or remove it",
      "t.json:1:42: no file is c/*.json; correct the pattern, or remove it",
    ],
    [{ "t.json": '{ "includes": ["*/a.json", "**.json"] }', "b/a.json": "{}" },
      "t.json:1:16: `*` may stand in the last part of a path only, for any characters; name each folder",
      "t.json:1:28: `*` may stand in the last part of a path only, for any characters; name each folder",
    ],
    [{ "c/t.json": '{ "includes": ["../x.json", "a/../../c2/*.json", ".."] }', "x.json": "{}", "c2/x.json": "{}" },
      ...["1:16", "1:29", "1:50"].map((at) => `t.json:${at}: this leads out of FOLDER, the folder of the first file; everything has to lie below it, so move it there`),
    ],
    [{ "t.json": '{ "includes": ["a.json"] }', "a.json": '{\n"includes": ["d/b.json"] }', "d/b.json": '{ "includes": ["../a.json"] }' },
      "d/b.json:1:16: a.json includes d/b.json includes a.json; remove one of these"],
    [{ "t.json": '{ "includes": ["*.json"] }' }, "t.json:1:16: t.json includes t.json; remove one of these"],
    [{ "t.json": '{ "includes": ["a.json", "b.json", "./a.json"] }', "a.json": "{}", "b.json": '{ "includes": ["a.json"] }' },
      "b.json:1:16: a.json is included at t.json:1:16 already; include it once",
      "t.json:1:36: a.json is included at t.json:1:16 already; include it once"],
    // A file that cannot be read is told with others, and nothing is guessed about what it would have had.
    [{ "t.json": '{ "includes": ["a.json", "b.json"], "routes": [{ "use": "x" }] }', "a.json": "{", "b.json": Buffer.from([0xff]) },
      "a.json:1:2: the object that begins in line 1 does not end; add `}`",
      "t.json:1:26: b.json is not UTF-8; save it as that"],
    [{ "t.json": '{ "includes": ["a.json"] }', "a.json": `{}${" ".repeat(MOST_BYTES)}` }, `t.json:1:16: a.json has ${MOST_BYTES + 2} bytes; a file may have ${MOST_BYTES}, so divide it`],
  ]) {
    assert.deepEqual(wrong(files), want.map((says) => `error: ${says}`));
  }
});

test("a link that leads out of the folder is not followed", () => {
  const outside = write({ "outside.json": "{}" });
  const path = write({ "t.json": '{ "includes": ["in.json"] }' });
  symlinkSync(outside, join(dirname(path), "in.json"));
  assert.throws(() => readDocument(path), /t\.json:1:16: this leads out of /);
});

test("files are as many and include as deep as is said, and no more", () => {
  const many = (count) => ({ "t.json": '{ "includes": ["f/*.json"] }', ...Object.fromEntries(Array.from({ length: count }, (_, number) => [`f/${number}.json`, "{}"])) });
  assert.equal(read(many(MOST_FILES - 1)).files.length, MOST_FILES);
  assert.deepEqual(wrong(many(MOST_FILES + 3)), [`error: t.json:1:16: with this there are more than ${MOST_FILES} files; put some together`]);
  const chain = (count) => Object.fromEntries(Array.from({ length: count }, (_, number) => [`${number}.json`, number + 1 < count ? `{ "includes": ["${number + 1}.json"] }` : "{}"]));
  assert.equal(read(chain(DEEPEST_FILE)).files.length, DEEPEST_FILE);
  assert.deepEqual(wrong(chain(DEEPEST_FILE + 1)), [`error: ${DEEPEST_FILE - 1}.json:1:16: files include each other ${DEEPEST_FILE} deep already; name this one in a file before`]);
});

test("what two files both say names both", () => {
  const files = {
    "t.json": '{ "includes": ["a.json"], "managed_from": "test",\n "scopes": { "s": {} }, "routes": [], "blocks": { "b": {} } }',
    "a.json": '{ "managed_from": "test",\n"scopes": { "t": {}, "s": {} }, "routes": {}, "blocks": { "b": {} } }',
  };
  assert.deepEqual(wrong(files), [
    'error: a.json:1:3: "managed_from" stands at t.json:1:27 already, and may stand in one file only; keep one',
    'error: a.json:2:22: "s" of "scopes" stands at t.json:2:14 already; keep one, or choose another name',
    'error: a.json:2:33: "routes" is an object here and an array at t.json:2:25; write both as the same',
    'error: a.json:2:59: "b" of "blocks" stands at t.json:2:51 already; keep one, or choose another name',
  ]);
});

test("a route takes what its blocks give, and its own members win as a whole", () => {
  const document = resolved({
    "tollgate.json": {
      includes: ["routes.json", "blocks.json"],
      blocks: { orders: { to: { service: "ORDERS", timeout_seconds: 5 }, host: "api.example.com" } },
    },
    "routes.json": {
      routes: [
        { id: "list", use: ["reads", "orders"], path: "/orders" },
        { use: "reads", id: "open", path: "/open", anonymous: true, require: null, to: { service: "OPEN" } },
        { id: "both", use: ["orders", "others"], methods: ["PUT"], path: "/both", to: { service: "BOTH" } },
        { id: "plain", path: "/plain" },
      ],
    },
    "blocks.json": { blocks: { reads: { methods: ["GET", "HEAD"], require: { scopes: ["orders:read"] } }, others: { to: { service: "OTHERS" } } } },
  });
  assert.deepEqual(Object.keys(document), ["routes"]);
  assert.deepEqual(document.routes.map((route) => JSON.stringify(route)), [
    '{"id":"list","methods":["GET","HEAD"],"require":{"scopes":["orders:read"]},"to":{"service":"ORDERS","timeout_seconds":5},"host":"api.example.com","path":"/orders"}',
    '{"methods":["GET","HEAD"],"id":"open","path":"/open","anonymous":true,"require":null,"to":{"service":"OPEN"}}',
    '{"id":"both","host":"api.example.com","methods":["PUT"],"path":"/both","to":{"service":"BOTH"}}',
    '{"id":"plain","path":"/plain"}',
  ]);
});

test("mistakes in blocks and in their use are told, all in one run", () => {
  const lines = wrong(`{
  "blocks": {
    "reads": { "methods": ["GET"], "id": "x" },
    "unused": {},
    "taker": { "use": "reads" },
    "a b": {},
    "list": [],
    "one": { "to": 1 }, "two": { "to": 2 }
  },
  "routes": [
    { "use": "raeds" },
    { "use": ["reads", "reads"] },
    { "use": [] }, { "use": 1 }, { "use": { "reads": 1 } }, { "use": ["reads", null] },
    { "use": ["one", "two", "taker", "a b", "list"] },
    "no route"
  ]
}`);
  assert.deepEqual(lines, [
    '3:36: a block cannot have `id`; remove it, and write it in the routes',
    '5:16: a block cannot have `use`; remove it, and write it in the routes',
    "6:5: a block's name has 1 to 64 of A-Z a-z 0-9 - _; choose another",
    '7:5: block "list" is an object of members of a route; write it so',
    '11:14: there is no block "raeds"; there are `reads`, `unused`, `taker`, `a b`, `list`, `one`, `two`',
    '12:24: "reads" is named already; remove it',
    "13:7: `use` names no block; name one, or remove it",
    "13:22: `use` is the name of a block, or an array of names; write it so",
    "13:36: `use` is the name of a block, or an array of names; write it so",
    "13:63: `use` is the name of a block, or an array of names; write it so",
    '14:22: blocks `one` and `two` both give "to"; write it in the route, or use one of them',
    '4:5: no route uses block "unused"; remove it, or correct the name in `use`',
  ].map((says) => `error: tollgate.json:${says}`));
  assert.deepEqual(wrong('{ "blocks": [] }'), ["error: tollgate.json:1:3: `blocks` is an object of blocks by name; write it so"]);
  assert.deepEqual(wrong('{ "routes": [{ "use": "x" }] }'), ['error: tollgate.json:1:23: there is no block "x"; there are none']);
  assert.deepEqual(wrong('{ "blocks": { "x": {} }, "routes": 1 }'), ['error: tollgate.json:1:15: no route uses block "x"; remove it, or correct the name in `use`']);
});

test("of a hundred mistakes no more are told", () => {
  const routes = Array.from({ length: 150 }, () => ({ use: "x" }));
  assert.equal(wrong({ "t.json": { routes } }).length, 100);
});
