// Lock files that name the process which holds them, so that one left behind by a killed process does not count.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { root } from "./project.mjs";

function holder(path) {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    process.kill(pid, 0); // throws when there is no such process
    return pid;
  } catch {
    return undefined;
  }
}

/** Takes the lock at `path` and returns undefined, or returns the process that has it. */
export async function takeLock(path) {
  mkdirSync(dirname(path), { recursive: true });
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      return undefined;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    // Between its creation and its writing the file is empty, so an absent holder is looked for twice.
    const pid = holder(path) ?? (await sleep(200), holder(path));
    if (pid !== undefined) return pid;
    rmSync(path, { force: true });
  }
}

export const releaseLock = (path) => rmSync(path, { force: true });

/**
 * Runs `action` while no other build of this checkout runs: cargo's own lock ends before wasm-bindgen reads what cargo
 * wrote, and every build writes the same file.
 */
export async function withBuildLock(action) {
  const path = join(root, "target", "tollgate-build.lock");
  let said = false;
  for (let pid; (pid = await takeLock(path)) !== undefined; await sleep(250)) {
    if (!said) process.stderr.write(`waiting for the build of process ${pid} (${path})\n`);
    said = true;
  }
  try {
    return await action();
  } finally {
    releaseLock(path);
  }
}
