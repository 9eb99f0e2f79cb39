// One file of a configuration, as a tree whose parts know where they stand and how they are written. Nothing is interpreted: numbers and
// texts stay the characters that they are. Comments and trailing commas are read over.
import { readFileSync, statSync } from "node:fs";

import { ParseErrorCode, SyntaxKind, createScanner, parseTree } from "jsonc-parser";

import { shown } from "./problems.mjs";

/** The largest file: a pattern that matches something else by mistake is told, not read. */
export const MOST_BYTES = 1024 * 1024;
/** The deepest nesting. A configuration has about ten levels; the worker's parser gives up at 128. */
export const DEEPEST = 64;

/** A file, and where in it something stands. */
class Source {
  constructor(path, text) {
    this.path = path;
    this.text = text;
    this.starts = [0];
    for (const { index, 0: end } of text.matchAll(/\r\n|\r|\n/g)) this.starts.push(index + end.length);
  }

  /** Lines and columns count from 1, columns in UTF-16 units, as editors do. */
  place(offset) {
    let [low, high] = [0, this.starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return { file: shown(this.path), line: low + 1, column: offset - this.starts[low] + 1 };
  }
}

const MENDS = {
  [ParseErrorCode.InvalidNumberFormat]: "this is no number; write it in decimal",
  [ParseErrorCode.PropertyNameExpected]: "a member's name is expected here; write it in double quotes",
  [ParseErrorCode.ValueExpected]: "a value is missing here; write it, or remove what announces it",
  [ParseErrorCode.ColonExpected]: "a colon is missing between a name and its value; add it",
  [ParseErrorCode.CommaExpected]: "a comma is missing before this; add it",
  [ParseErrorCode.EndOfFileExpected]: "the document has ended before this; remove it",
  [ParseErrorCode.UnexpectedEndOfComment]: "this comment does not end; add `*/`",
  [ParseErrorCode.UnexpectedEndOfString]: 'this text does not end in its line; add `"`, or write `\\n` for a new line',
  [ParseErrorCode.UnexpectedEndOfNumber]: "this number lacks digits; write them",
  [ParseErrorCode.InvalidUnicode]: "`\\u` is not followed by four hexadecimal digits in this text; write them",
  [ParseErrorCode.InvalidEscapeCharacter]: "a backslash stands before a character that needs none in this text; write `\\\\` for a backslash",
  [ParseErrorCode.InvalidCharacter]: "a control character stands in this text; write its escape, such as `\\t`",
};

function mendOf({ error, offset, length }, text, open) {
  const brackets = { [ParseErrorCode.CloseBraceExpected]: ["object", "}"], [ParseErrorCode.CloseBracketExpected]: ["array", "]"] }[error];
  if (brackets) return `the ${brackets[0]} that begins${open ? ` in line ${open.line}` : ""} does not end; add \`${brackets[1]}\``;
  const word = text.slice(offset, offset + Math.min(length, 40));
  if (error === ParseErrorCode.InvalidSymbol) return `\`${word}\` is no JSON; texts stand in double quotes, and there are \`true\`, \`false\` and \`null\``;
  if (error === ParseErrorCode.ValueExpected && word === ",") return "nothing stands before this comma; remove it, or write what is missing";
  return MENDS[error] ?? "this is no JSON; correct it";
}

/** The brackets that are open where the text ends, and the first one that is nested too deeply. The parser itself recurses. */
function brackets(text) {
  const scanner = createScanner(text, true);
  const open = [];
  for (let token = scanner.scan(); token !== SyntaxKind.EOF; token = scanner.scan()) {
    if (token === SyntaxKind.OpenBraceToken || token === SyntaxKind.OpenBracketToken) {
      open.push(scanner.getTokenOffset());
      if (open.length > DEEPEST) return { open, tooDeep: open.at(-1) };
    } else if (token === SyntaxKind.CloseBraceToken || token === SyntaxKind.CloseBracketToken) open.pop();
  }
  return { open };
}

/** The parser's tree as ours: `object` with `members` by name, `array` with `items`, or `literal`, which is `written` so. */
function convert(node, source, problems) {
  const part = { source, offset: node.offset };
  const written = ({ offset, length }) => source.text.slice(offset, offset + length);
  const whole = ({ offset, value }) => {
    if (typeof value !== "string" || value.isWellFormed()) return;
    problems.add({ source, offset }, "half of a pair of `\\u` escapes stands alone in this text; write both");
  };
  if (node.type === "array") return { ...part, kind: "array", items: node.children.map((child) => convert(child, source, problems)) };
  if (node.type !== "object") {
    whole(node);
    return { ...part, kind: "literal", value: node.value, written: written(node) };
  }
  const members = new Map();
  for (const { children } of node.children) {
    const [name, value] = children;
    whole(name);
    const member = { source, offset: name.offset, written: written(name), value: convert(value, source, problems) };
    const first = members.get(name.value);
    if (first) problems.add(member, `${written(name)} stands in this object already, in line ${source.place(first.offset).line}; keep one`);
    else members.set(name.value, member);
  }
  return { ...part, kind: "object", members };
}

function textOf(path, by, problems) {
  const bytes = readFileSync(path);
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    problems.add(by ?? { source: new Source(path, ""), offset: 0 }, `${shown(path)} is not UTF-8; save it as that`);
    return undefined;
  }
}

/**
 * Reads a file: `{ source, root }`, or nothing but problems. Of what is no JSON the first is told: what the parser says after that is about
 * its own guess. `by`: the entry that names the file, where it is no problem of the file's own text.
 */
export function readSource(path, by, problems) {
  const { size } = statSync(path);
  const text = size > MOST_BYTES ? undefined : textOf(path, by, problems);
  const source = new Source(path, text ?? "");
  if (size > MOST_BYTES) problems.add(by ?? { source, offset: 0 }, `${shown(path)} has ${size} bytes; a file may have ${MOST_BYTES}, so divide it`);
  if (text === undefined) return undefined;
  const wrong = (offset, problem) => void problems.add({ source, offset }, problem);
  if (text.startsWith("\ufeff")) return wrong(0, "the file begins with a byte order mark; save it as UTF-8 without one");
  const { open, tooDeep } = brackets(text);
  if (tooDeep !== undefined) return wrong(tooDeep, `this is nested more than ${DEEPEST} deep; nothing in a configuration is`);
  const errors = [];
  const tree = parseTree(text, errors, { allowTrailingComma: true });
  if (errors.length > 0) return wrong(errors[0].offset, mendOf(errors[0], text, open.length > 0 && source.place(open.at(-1))));
  if (tree.type !== "object") return wrong(tree.offset, "a configuration is one object; put it in `{` and `}`");
  return { source, root: convert(tree, source, problems) };
}
