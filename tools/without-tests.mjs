// Leaves the tests out of a configuration that is deployed: they are for `make policy-check`, and a worker passes over them.

/** Where a value of JSON that begins at `from` ends; calls `onMembers(path, members)` for each object on the way, before it goes on. */
function walk(text, from, path, onMembers) {
  const skip = (at) => {
    while (/\s/.test(text[at] ?? "")) at += 1;
    return at;
  };
  const string = (at) => {
    for (at += 1; text[at] !== '"'; at += 1) if (text[at] === "\\") at += 1;
    return at + 1;
  };
  let at = skip(from);
  if (text[at] === '"') return string(at);
  if (text[at] === "[") {
    for (let index = 0; text[at] !== "]"; index += 1) {
      at = skip(at + 1);
      if (text[at] !== "]") at = skip(walk(text, at, [...path, index], onMembers));
    }
    return at + 1;
  }
  if (text[at] === "{") {
    const members = [];
    while (text[at] !== "}") {
      const start = skip(at + 1);
      at = start;
      if (text[at] === "}") break;
      at = string(start);
      const name = JSON.parse(text.slice(start, at)); // however it is spelled
      const end = walk(text, skip(at) + 1, [...path, name], onMembers);
      members.push({ name, start, end });
      at = skip(end);
    }
    onMembers(path, members);
    return at + 1;
  }
  while (at < text.length && !/[\s,\]}]/.test(text[at])) at += 1;
  return at;
}

/**
 * A document without `tests` and `routes[].tests`. They are cut out of the text, so everything else stays as it is written: numbers of any length, order and white space.
 * What is no JSON stays whole: the build says what is wrong with it.
 */
export function withoutTests(text) {
  try {
    JSON.parse(text);
  } catch {
    return text;
  }
  const cuts = [];
  walk(text, 0, [], (path, members) => {
    const holdsTests = path.length === 0 || (path.length === 2 && path[0] === "routes" && Number.isInteger(path[1]));
    if (!holdsTests) return;
    const kept = members.filter(({ name }) => name !== "tests");
    for (const { name, start, end } of members) {
      if (name !== "tests") continue;
      // With the comma that parts it from the next one that stays, or else from the one before.
      const next = kept.find((member) => member.start > start);
      const before = kept.findLast((member) => member.start < start);
      cuts.push(next ? [start, next.start] : [before?.end ?? start, end]);
    }
  });
  let left = "";
  let at = 0;
  for (const [from, to] of cuts.sort(([a], [b]) => a - b)) {
    left += text.slice(at, Math.max(at, from));
    at = Math.max(at, to);
  }
  return left + text.slice(at);
}
