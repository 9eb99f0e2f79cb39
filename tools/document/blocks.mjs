// What several routes have in common: `blocks`, which routes take with `use`. A block's members are defaults, and a route's own wins as a whole.

const NAME = /^[A-Za-z0-9_-]{1,64}$/;
// What makes a route this one, and what takes blocks: a block would take another one.
const NEVER = ["id", "use"];

const listed = (names) => (names.length === 0 ? "there are none" : `there ${names.length === 1 ? "is" : "are"} ${names.slice(0, 10).map((name) => `\`${name}\``).join(", ")}`);

/** The blocks by name, each as `{ member, members }`. */
function read(member, problems) {
  const blocks = new Map();
  if (member && member.value.kind !== "object") problems.add(member, "`blocks` is an object of blocks by name; write it so");
  for (const [name, block] of member?.value.members ?? []) {
    if (!NAME.test(name)) problems.add(block, "a block's name has 1 to 64 of A-Z a-z 0-9 - _; choose another");
    const members = block.value.members;
    if (!members) problems.add(block, `block ${block.written} is an object of members of a route; write it so`);
    for (const never of NEVER) {
      const inner = members?.get(never);
      if (inner) problems.add(inner, `a block cannot have \`${never}\`; remove it, and write it in the routes`);
    }
    blocks.set(name, { member: block, members: members ?? new Map() });
  }
  return blocks;
}

/** The names in a route's `use`, each with its place. */
function namesOf(use, problems) {
  const entries = use.value.items ?? [use.value];
  const names = entries.filter(({ value }) => typeof value === "string");
  if (names.length < entries.length) problems.add(use, "`use` is the name of a block, or an array of names; write it so");
  else if (names.length === 0) problems.add(use, "`use` names no block; name one, or remove it");
  return names.filter((entry, number) => {
    const isFirst = names.findIndex(({ value }) => value === entry.value) === number;
    if (!isFirst) problems.add(entry, `${entry.written} is named already; remove it`);
    return isFirst;
  });
}

/** The members that a route gets of its blocks: by name, each with the `block` that it is of. */
function taken(route, blocks, used, problems) {
  const members = new Map();
  for (const entry of namesOf(route.members.get("use"), problems)) {
    const block = blocks.get(entry.value);
    if (!block) problems.add(entry, `there is no block ${entry.written}; ${listed([...blocks.keys()])}`);
    used.add(entry.value);
    for (const [name, member] of block?.members ?? []) {
      const other = members.get(name);
      if (route.members.has(name)) continue;
      if (other) problems.add(entry, `blocks \`${other.block}\` and \`${entry.value}\` both give ${member.written}; write it in the route, or use one of them`);
      else members.set(name, { ...member, block: entry.value });
    }
  }
  return members;
}

/** The route with what its blocks give, which stands where `use` stood. */
function filled(route, blocks, used, problems) {
  if (!route.members?.has("use")) return route;
  const given = taken(route, blocks, used, problems);
  return { ...route, members: new Map([...route.members].flatMap(([name, member]) => (name === "use" ? [...given] : [[name, member]]))) };
}

/** Resolves `blocks` and `use` of a whole configuration, in `merged`. Returns whether there were any. */
export function applyBlocks(merged, problems) {
  const member = merged.get("blocks");
  merged.delete("blocks");
  const blocks = read(member, problems);
  const used = new Set();
  const routes = merged.get("routes");
  const items = routes?.value.items ?? [];
  const hasUse = items.some(({ members }) => members?.has("use"));
  if (hasUse) merged.set("routes", { ...routes, value: { ...routes.value, items: items.map((route) => filled(route, blocks, used, problems)) } });
  for (const [name, { member }] of blocks) {
    if (!used.has(name)) problems.add(member, `no route uses block ${member.written}; remove it, or correct the name in \`use\``);
  }
  return member !== undefined || hasUse;
}
