// Prints a tree as strict JSON that people can read: what fits into a line stands in one. Only the tree decides how it looks, not how its files did.

const WIDTH = 120;

/** How long a part is in one line. */
function widthOf(part, known) {
  if (part.kind === "literal") return part.written.length;
  if (!known.has(part)) {
    const inner = part.kind === "array" ? part.items.map((item) => widthOf(item, known)) : [...part.members.values()].map(({ written, value }) => written.length + 2 + widthOf(value, known));
    const padding = part.kind === "object" && inner.length > 0 ? 2 : 0;
    known.set(part, 2 + padding + inner.reduce((sum, width) => sum + width, 0) + 2 * Math.max(inner.length - 1, 0));
  }
  return known.get(part);
}

/** The `text`, and `placeAt(offset)`: the place in the files of the name or value that stands there. */
export function print(root) {
  const [pieces, marks, known] = [[], [], new Map()];
  let at = 0;
  const put = (text, part) => {
    if (part) marks.push({ at, source: part.source, offset: part.offset });
    pieces.push(text);
    at += text.length;
  };
  /** `room`: what is left of the line, less what follows the part. */
  const write = (part, indent, room) => {
    if (part.kind === "literal") return put(part.written, part);
    const entries = part.kind === "array" ? part.items.map((value) => ({ value })) : [...part.members.values()];
    const [open, close] = part.kind === "array" ? ["[", "]"] : ["{", "}"];
    put(open, part);
    const fits = entries.length === 0 || (part !== root && widthOf(part, known) <= room);
    const inner = fits ? indent : `${indent}  `;
    const padding = part.kind === "object" && entries.length > 0 ? " " : "";
    const [first, between, last] = fits ? [padding, ", ", padding] : [`\n${inner}`, `,\n${inner}`, `\n${indent}`];
    entries.forEach((entry, number) => {
      put(number === 0 ? first : between);
      const name = entry.written === undefined ? "" : `${entry.written}: `;
      if (name) put(name, entry);
      write(entry.value, inner, fits ? Infinity : WIDTH - inner.length - name.length - 1);
    });
    put(`${entries.length > 0 ? last : ""}${close}`);
  };
  const placeAt = (offset) => {
    const mark = marks.findLast((mark) => mark.at <= offset) ?? marks[0];
    return mark.source.place(mark.offset);
  };
  write(root, "", WIDTH);
  put("\n");
  return { text: pieces.join(""), placeAt };
}
