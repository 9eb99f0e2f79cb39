// What the numbers depend on: the machine and the versions.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, platform, release, totalmem } from "node:os";
import { join } from "node:path";

import { read, root } from "../../tools/project.mjs";

const packageVersion = (name) => JSON.parse(readFileSync(join(root, "node_modules", name, "package.json"), "utf8")).version;

function git(...args) {
  const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

export function machine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    memoryGiB: Math.round((totalmem() / 2 ** 30) * 10) / 10,
    kernel: `${platform()} ${release()}`,
    loadBefore: Math.round(loadavg()[0] * 100) / 100,
  };
}

/** Starts watching how busy the machine is; what comes back says how many cores were at work since then, ours included. */
export function watchCores() {
  const busy = () => cpus().reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0);
  const [before, start] = [busy(), performance.now()];
  return () => Math.round(((busy() - before) / (performance.now() - start)) * 100) / 100;
}

export function versions({ wrk }) {
  const changed = git("status", "--porcelain", "--untracked-files=no");
  return {
    tollgate: /^version = "([^"]+)"/m.exec(read("Cargo.toml"))?.[1],
    commit: `${git("rev-parse", "--short=12", "HEAD") ?? "unknown"}${changed ? " with changes" : ""}`,
    workerd: packageVersion("workerd"),
    node: process.versions.node,
    jose: packageVersion("jose"),
    hono: packageVersion("hono"),
    "fast-jwt": packageVersion("fast-jwt"),
    "workers-oauth-provider": packageVersion("@cloudflare/workers-oauth-provider"),
    "oidc-provider": packageVersion("oidc-provider"),
    wrk: wrk ?? "not used",
  };
}
