// The files of a configuration, put together: what each says at its top, under the same name.
import { readdirSync, realpathSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";

import { shown, spelled } from "./problems.mjs";
import { readSource } from "./source.mjs";

/** The most files of one configuration: one for each of 500 routes would be no way to keep them. */
export const MOST_FILES = 256;
/** How deep files may include others: the first file is 1 deep. */
export const DEEPEST_FILE = 8;

const KINDS = { array: "an array", object: "an object", literal: "a single value" };

/** What is missing of an include's spelling, or of what it leads to. */
class Unusable extends Error {}

function isFile(path) {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

const isBelow = (path, folder) => {
  const way = relative(folder, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`);
};

/** The pattern of a path's last part. As in a shell, `*` is no dot at the beginning. */
function matcher(name) {
  const escaped = name.split("*").map((text) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${name.startsWith("*") ? "(?!\\.)" : ""}${escaped.join(".*")}$`, "s");
}

/** The files that an entry of `includes` means, by their real paths. */
function filesOf(entry, from, folder) {
  if (entry === "") throw new Unusable("this is empty; name a file");
  if (entry.includes("\\")) throw new Unusable("a path has `/` between its parts; write it so");
  if (/^(\/|[A-Za-z]:)/.test(entry)) throw new Unusable("this path is absolute; write it as seen from this file");
  const parts = entry.split("/");
  const name = parts.pop();
  if ([...parts, name].includes("")) throw new Unusable("a part of this path is empty; name a file");
  if (parts.some((part) => part.includes("*")) || name.includes("**")) throw new Unusable("`*` may stand in the last part of a path only, for any characters; name each folder");
  const place = join(from, ...parts);
  const path = join(place, name);
  const inside = (path) => {
    if (isBelow(path, folder)) return path;
    throw new Unusable(`this leads out of ${shown(folder)}, the folder of the first file; everything has to lie below it, so move it there`);
  };
  // Before anything is looked for, so that nothing out there is.
  inside(path);
  const real = (path) => inside(realpathSync.native(path));
  if (!name.includes("*")) {
    if (isFile(path)) return [real(path)];
    const isFolder = statSync(path, { throwIfNoEntry: false })?.isDirectory();
    throw new Unusable(isFolder ? `${shown(path)} is a folder; name its files, such as \`${entry}/*.json\`` : `there is no file ${shown(path)}; correct the path`);
  }
  const pattern = matcher(name);
  const names = statSync(place, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(place) : [];
  const found = names.filter((name) => pattern.test(name) && isFile(join(place, name))).sort();
  if (found.length === 0) throw new Unusable(`no file is ${shown(path)}; correct the pattern, or remove it`);
  return found.map((name) => real(join(place, name)));
}

/** Of what is added to. */
function copy(part) {
  if (part.kind === "array") return { ...part, items: [...part.items] };
  return part.kind === "object" ? { ...part, members: new Map(part.members) } : part;
}

/** Adds what a file has under a name of the top to what others have there. */
function merge(merged, name, member, problems) {
  const known = merged.get(name);
  if (!known) return void merged.set(name, { ...member, value: copy(member.value) });
  const there = (part) => spelled(part.source.place(part.offset));
  const [a, b] = [known.value, member.value];
  if (a.kind !== b.kind) {
    problems.add(member, `${member.written} is ${KINDS[b.kind]} here and ${KINDS[a.kind]} at ${there(known)}; write both as the same`);
  } else if (a.kind === "array") a.items.push(...b.items);
  else if (a.kind === "literal") problems.add(member, `${member.written} stands at ${there(known)} already, and may stand in one file only; keep one`);
  else {
    for (const [key, inner] of b.members) {
      const first = a.members.get(key);
      if (first) problems.add(inner, `${inner.written} of ${member.written} stands at ${there(first)} already; keep one, or choose another name`);
      else a.members.set(key, inner);
    }
  }
}

/**
 * Reads a file and all that it includes, each once: a file's own members before those of the files that it includes, those in their order.
 * `merged`: the members of the top by name, without `includes` and `$schema`. `isAlone`: no file has `includes`.
 */
export function gather(path, problems) {
  const first = realpathSync.native(path);
  const folder = dirname(first);
  const [seen, sources, merged] = [new Map(), [], new Map()];
  let [isFull, isAlone] = [false, true];

  const enter = (file, by, chain) => {
    seen.set(file, by);
    const read = readSource(file, by, problems);
    if (!read) return;
    sources.push(read.source);
    for (const [name, member] of read.root.members) {
      if (name !== "includes" && name !== "$schema") merge(merged, name, member, problems);
    }
    const includes = read.root.members.get("includes");
    if (includes) include(includes, file, [...chain, file]);
  };

  const include = (member, file, chain) => {
    isAlone = false;
    if (member.value.kind !== "array") return problems.add(member, "`includes` is an array of paths; write `[` and `]` around them");
    for (const entry of member.value.items) {
      if (typeof entry.value !== "string") problems.add(entry, "this is no text; name a file");
      else if (chain.length >= DEEPEST_FILE) problems.add(entry, `files include each other ${DEEPEST_FILE} deep already; name this one in a file before`);
      else includeOne(entry, file, chain);
    }
  };

  const includeOne = (entry, file, chain) => {
    let files;
    try {
      files = filesOf(entry.value, dirname(file), folder);
    } catch (error) {
      if (!(error instanceof Unusable || error.code)) throw error;
      return problems.add(entry, error instanceof Unusable ? error.message : `${shown(error.path ?? file)} cannot be read (${error.code}); see to it`);
    }
    for (const found of files) {
      const by = seen.get(found);
      if (chain.includes(found)) problems.add(entry, `${[...chain.slice(chain.indexOf(found)), found].map(shown).join(" includes ")}; remove one of these`);
      else if (by) problems.add(entry, `${shown(found)} is included at ${spelled(by.source.place(by.offset))} already; include it once`);
      else if (seen.size >= MOST_FILES) {
        if (!isFull) problems.add(entry, `with this there are more than ${MOST_FILES} files; put some together`);
        isFull = true;
      } else enter(found, entry, chain);
    }
  };

  enter(first, undefined, []);
  return { merged, sources, isAlone };
}
