// From a place in the resolved configuration to the file that a person edits.
import { spelled } from "./problems.mjs";

/** What can follow a name in a path, or that it ends. */
const ENDS = ["", ".", "[", '"'];

/** How the worker's parser spells a member in a path. */
const spell = (name, isFirst) => (name === "" ? '""' : `${isFirst ? "" : "."}${name}`);

/** The next part on the way along `rest`, and what is left then. Names may hold dots and brackets themselves: the longest that fits is meant. */
function step(part, rest, isFirst) {
  if (part.kind === "array") {
    const [all, number] = /^\[(\d+)\]/.exec(rest) ?? [];
    const item = part.items[number];
    return item && { part: item, member: item, rest: rest.slice(all.length) };
  }
  let best;
  for (const [name, member] of part.members ?? []) {
    const text = spell(name, isFirst);
    if (!rest.startsWith(text) || !ENDS.includes(rest.charAt(text.length)) || text.length <= (best?.length ?? 0)) continue;
    best = { length: text.length, part: member.value, member, rest: rest.slice(text.length) };
  }
  return best;
}

/** What stands at a path: the last part of it that is there, and the block that it came by. */
function follow(root, path) {
  let [here, rest, block, isFirst] = [{ part: root, member: root }, path, undefined, true];
  for (let next; (next = step(here.part, rest, isFirst)); isFirst = false) {
    [here, rest] = [next, next.rest];
    block ??= next.member.block;
  }
  return { member: here.member, block };
}

/** The route that a path leads into: its place, and its id if it has a plain one. */
function routeOf(root, path) {
  const [way] = /^routes\[\d+\]/.exec(path) ?? [];
  if (!way) return undefined;
  const { member } = follow(root, way);
  const id = member.members?.get("id")?.value.value;
  return { ...placeOf(member), ...(/^[\w-]{1,64}$/.test(id) && { id }) };
}

const placeOf = ({ source, offset }) => source.place(offset);

/**
 * `where` of a document. Takes a path as errors of the worker's parser have it (`routes[17].to.url`) and returns the place of what stands there:
 * `{ file, line, column }`; in a route with `route`, its place and `id`; with `block`, where what stands there is a block's.
 */
export function places(root) {
  return (path) => {
    const { member, block } = follow(root, path);
    const route = routeOf(root, path);
    return { ...placeOf(member), ...(route && { route }), ...(block && { block }) };
  };
}

/** `at` of a document: the place of what stands at a line and column of its text. Columns count bytes, as the worker's parser does. */
export function positions(text, placeAt) {
  return (line, column) => {
    const lines = text.split("\n");
    const before = lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, 0);
    const inLine = Buffer.from(lines[line - 1] ?? "").subarray(0, Math.max(column - 1, 0));
    return placeAt(before + inLine.toString().length);
  };
}

const WHOLE = "(document)";
const PLACE_IN_TEXT = / at line (\d+) column (\d+)$/;

/** One problem of the worker's parser, with its place in the files. */
function told(document, { path, problem }) {
  const [all, line, column] = (path === WHOLE && PLACE_IN_TEXT.exec(problem)) || [];
  const place = all ? document.at(Number(line), Number(column)) : document.where(path);
  const says = all ? problem.slice(0, -all.length) : problem;
  // Another route that it mentions.
  const whole = says.replace(/\broutes\[\d+\]/g, (other) => `${other} at ${spelled(document.where(other))}`);
  return { ...place, path, says: whole };
}

/**
 * What the worker's parser finds wrong with a document, `{ path, problem }` each, as lines of what a person can open. What is wrong with a block is told once,
 * and not for each route that uses it.
 */
export function tell(document, problems) {
  const groups = new Map();
  for (const problem of problems.map((problem) => told(document, problem))) {
    const key = problem.block ? `${spelled(problem)} ${problem.path.replace(/^routes\[\d+\]/, "")} ${problem.says}` : {};
    if (groups.has(key)) groups.get(key).more += 1;
    else groups.set(key, { ...problem, more: 0 });
  }
  return [...groups.values()].map((problem) => `error: ${spelled(problem)}: ${problem.path}: ${problem.says}${about(problem)}`);
}

function about({ block, route, more }) {
  const name = route?.id ? `route \`${route.id}\`` : "a route";
  if (block) return ` (block \`${block}\`, used by ${name} at ${spelled(route)}${more > 0 ? ` and ${more} more` : ""})`;
  return route?.id ? ` (route \`${route.id}\`)` : "";
}
