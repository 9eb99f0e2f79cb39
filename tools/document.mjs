// Reads a configuration as people keep it, with comments, `includes` and `blocks`, and makes the one strict JSON document of it that the worker gets.
// docs/configuration.md says what may stand in the files; docs/decisions/0038-documents-are-resolved-before-they-are-read.md why it is so.
import { statSync } from "node:fs";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { applyBlocks } from "./document/blocks.mjs";
import { gather } from "./document/includes.mjs";
import { places, positions } from "./document/places.mjs";
import { print } from "./document/print.mjs";
import { Problems } from "./document/problems.mjs";
import { fail } from "./project.mjs";

export { tell } from "./document/places.mjs";
export { DocumentError } from "./document/problems.mjs";

const USAGE = `node tools/document.mjs FILE        (or: make -s config-print CONFIG=FILE)

Prints a configuration as the worker gets it: one strict JSON document, without comments, \`includes\`, \`blocks\` and \`use\`. A file that has none of
them is printed as it is. What is wrong with the files is printed instead, and then it ends with 1; what the document means is not looked at here.
`;

function isStrict(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Reads a configuration. Throws a `DocumentError` that says everything that is wrong with its files.
 *
 * - `text`: the resolved document. A file that uses nothing of what is resolved is passed on byte for byte.
 * - `files`: the paths of every file that was read, the first one first.
 * - `where(path)`: the place in the files of what stands at a path of the document: `{ file, line, column }`, with `route` and `block` where it is of such.
 * - `at(line, column)`: the same for a place in the document's text.
 */
export function readDocument(path) {
  const first = resolve(path);
  if (!statSync(first, { throwIfNoEntry: false })?.isFile()) throw new Error(`There is no configuration at ${first}.`);
  const problems = new Problems();
  const { merged, sources, isAlone } = gather(first, problems);
  // Before blocks are looked for: those of a file that could not be read would be missed.
  problems.throwIfAny();
  const hasBlocks = applyBlocks(merged, problems);
  problems.throwIfAny();
  const [source] = sources;
  const root = { kind: "object", source, offset: 0, members: merged };
  const asItIs = isAlone && !hasBlocks && isStrict(source.text);
  const { text, placeAt } = asItIs ? { text: source.text, placeAt: (offset) => source.place(offset) } : print(root);
  return { text, files: sources.map(({ path }) => path), where: places(root), at: positions(text, placeAt) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [file, ...more] = process.argv.slice(2);
  if (file === "--help" || file === "-h") process.stdout.write(USAGE);
  else if (file === undefined || file.startsWith("-") || more.length > 0) fail(USAGE, 2);
  else {
    try {
      process.stdout.write(readDocument(file).text);
    } catch (error) {
      fail(error.message);
    }
  }
}
