// What is wrong with a configuration's files, and where: collected, so that one run tells everything.
import { relative } from "node:path";

/** How many problems are told at once, as the worker's parser does. */
const MOST = 100;

/** A path as a person writes it who stands in the current folder. */
export function shown(path) {
  const near = relative(process.cwd(), path);
  return near === "" || near.startsWith("..") ? path : near;
}

/** `file:line:column`. */
export const spelled = ({ file, line, column }) => `${file}:${line}:${column}`;

/** The files cannot be read as one document. The message has a line for each problem. */
export class DocumentError extends Error {
  constructor(problems) {
    super(problems.map(({ place, problem }) => `error: ${spelled(place)}: ${problem}`).join("\n"));
    this.problems = problems;
  }
}

/** Collects what is wrong. */
export class Problems {
  #list = [];

  /** `at`: a part of a file, as `source.mjs` reads it. */
  add({ source, offset }, problem) {
    if (this.#list.length < MOST) this.#list.push({ place: source.place(offset), problem });
  }

  throwIfAny() {
    if (this.#list.length > 0) throw new DocumentError(this.#list);
  }
}
