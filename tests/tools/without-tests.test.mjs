// What is cut out of a configuration before it is deployed, and what stays.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { readDocument } from "../../tools/document.mjs";
import { withoutTests } from "../../tools/without-tests.mjs";

test("tests of the document and of its routes leave, and nothing else", () => {
  for (const [given, left] of [
    ['{"a":1,"tests":[1,{"x":"]}"}],"b":2}', '{"a":1,"b":2}'],
    ['{"a":1, "tests": []\n}', '{"a":1\n}'],
    ['{ "tests": [] }', "{  }"],
    ['{"te\\u0073ts":[],"a":{"tests":[]}}', '{"a":{"tests":[]}}'],
    ['{"routes":[{"id":"a","tests":[{"tests":[1]}],"to":{"tests":1}},{"tests":[],"id":"b"},{"tests":"x"}]}', '{"routes":[{"id":"a","to":{"tests":1}},{"id":"b"},{}]}'],
    ['{"routes":{"0":{"tests":[]}},"other":[{"tests":[]}]}', '{"routes":{"0":{"tests":[]}},"other":[{"tests":[]}]}'],
    ['{"a":"\\"tests\\": []","tests":[],"b":"\\\\"}', '{"a":"\\"tests\\": []","b":"\\\\"}'],
    ['{"tests":[],"tests":[],"a":1}', '{"a":1}'],
    ['{"a":1,"tests":[],"tests":[]}', '{"a":1}'],
    ["[[],{}]", "[[],{}]"],
  ]) {
    assert.equal(withoutTests(given), left);
  }
});

test("numbers, order and white space of what stays are those of the text", () => {
  const text = '{\r\n\t"n": 12345678901234567890.10e+2 ,\r\n\t"z":-0,"tests":[0.1],  "a" : 1.0\r\n}\r\n';
  assert.equal(withoutTests(text), '{\r\n\t"n": 12345678901234567890.10e+2 ,\r\n\t"z":-0,"a" : 1.0\r\n}\r\n');
});

test("what is no JSON stays whole", () => {
  for (const text of ["", "{", '{"tests":[]', '{"tests":[],}', "// x\n{}"]) assert.equal(withoutTests(text), text);
});

test("the repository's own configuration is the same without its tests", () => {
  const { text } = readDocument(fileURLToPath(new URL("../../tollgate.json", import.meta.url)));
  const document = JSON.parse(text);
  assert.ok(document.tests.length > 0 && document.routes.every(({ tests }) => tests.length > 0));
  delete document.tests;
  for (const route of document.routes) delete route.tests;
  const left = withoutTests(text);
  assert.deepEqual(JSON.parse(left), document);
  assert.ok(!left.includes('"tests"'));
  assert.equal(withoutTests(left), left);
});
