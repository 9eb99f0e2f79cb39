// Files for the tests of the tools.
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";

import { check } from "../../tools/check.mjs";
import { DocumentError, readDocument } from "../../tools/document.mjs";

const made = [];
after(() => made.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

/** A folder with these files; the path of the first. */
export function write(files) {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "tollgate-document-")));
  made.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), typeof text === "string" || Buffer.isBuffer(text) ? text : JSON.stringify(text));
  }
  return join(folder, Object.keys(files)[0]);
}

export const read = (files) => readDocument(write(typeof files === "string" ? { "tollgate.json": files } : files));
export const resolved = (files) => JSON.parse(read(files).text);

/** Everything that is wrong, each line without the folder that the files are in. */
export function wrong(files) {
  const path = write(typeof files === "string" || Buffer.isBuffer(files) ? { "tollgate.json": files } : files);
  try {
    readDocument(path);
  } catch (error) {
    assert.ok(error instanceof DocumentError, error.stack);
    return error.message.replaceAll(`${dirname(path)}/`, "").replaceAll(dirname(path), "FOLDER").split("\n");
  }
  assert.fail("it was read");
}

export const route = (id, more) => ({ id, methods: ["GET"], path: `/${id}`, anonymous: true, to: { service: "ORIGIN" }, ...more });

/** What the build says of files that are not good. */
export async function refused(files) {
  const path = write(files);
  let said = "";
  await assert.rejects(check(readDocument(path), { log: (text) => (said += text) }), /The configuration is not good: the reason is above\./);
  return said.replaceAll(`${dirname(path)}/`, "").trimEnd().split("\n");
}
