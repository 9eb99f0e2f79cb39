// Leaves the tests out of a configuration that is deployed: they are for `make policy-check`, and a worker passes over them.
import { parseTree } from "jsonc-parser";

const end = ({ offset, length }) => offset + length;
const membersOf = ({ type, children }) => (type === "object" ? children : []);

/** What to cut out of an object that holds tests: with the comma that parts them from the next member that stays, or else from the one before. */
function cutsIn(object) {
  const members = membersOf(object);
  const areTests = (member) => member.children[0].value === "tests";
  const kept = members.filter((member) => !areTests(member));
  return members.filter(areTests).map((tests) => {
    const next = kept.find((member) => member.offset > tests.offset);
    const before = kept.findLast((member) => member.offset < tests.offset);
    return next ? [tests.offset, next.offset] : [before ? end(before) : tests.offset, end(tests)];
  });
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
  const document = parseTree(text);
  const routes = membersOf(document).filter(({ children: [name, value] }) => name.value === "routes" && value.type === "array");
  const cuts = [document, ...routes.flatMap(({ children }) => children[1].children)].flatMap(cutsIn);
  let left = "";
  let at = 0;
  for (const [from, to] of cuts.sort(([a], [b]) => a - b)) {
    left += text.slice(at, Math.max(at, from));
    at = Math.max(at, to);
  }
  return left + text.slice(at);
}
