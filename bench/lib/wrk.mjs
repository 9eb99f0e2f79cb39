// wrk: the load on the gateway.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { run } from "../../tools/run.mjs";

/** The version that is installed, or nothing. */
function installed() {
  // `wrk -v` ends with 1 after its version.
  const { error, stdout, stderr } = spawnSync("wrk", ["-v"], { encoding: "utf8" });
  if (error) return undefined;
  return /^wrk (\S+)/m.exec(`${stdout}${stderr}`)?.[1] ?? "unknown";
}

/** Installs wrk where that needs nobody's consent, and says its version. */
export async function ensureWrk(say) {
  const there = installed();
  if (there) return there;
  const debian = existsSync("/etc/debian_version") && process.getuid?.() === 0;
  if (debian) {
    say("installing wrk with apt-get (a few seconds)");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const aptGet = (...args) => run("apt-get", args, { env, quiet: true }).catch(() => 1);
    const install = () => aptGet("install", "-y", "--no-install-recommends", "wrk");
    // Without its lists apt-get finds no package.
    if ((await install()) !== 0 && (await aptGet("update")) === 0) await install();
    const version = installed();
    if (version) return version;
  }
  throw new Error(
    "wrk is missing. Debian and Ubuntu: `sudo apt-get install wrk`; macOS: `brew install wrk`. `--only validation` runs without it.",
  );
}

/** What wrk printed, as numbers. Throws where it is not what wrk prints. */
export function parse(output) {
  const number = (pattern) => {
    const found = pattern.exec(output);
    return found ? Number(found[1]) : undefined;
  };
  const requestsPerSecond = number(/^Requests\/sec:\s*([\d.]+)/m);
  if (!Number.isFinite(requestsPerSecond)) throw new Error(`wrk printed no requests per second:\n${output}`);
  const errors = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(output)?.slice(1).map(Number) ?? [];
  const units = { us: 0.001, ms: 1, s: 1000, m: 60_000 };
  const latency = (part) => {
    const found = new RegExp(`^\\s+${part}%\\s+([\\d.]+)(us|ms|s|m)`, "m").exec(output);
    return found ? Number(found[1]) * units[found[2]] : undefined;
  };
  return {
    requestsPerSecond,
    requests: number(/(\d+) requests in/) ?? 0,
    notOk: number(/Non-2xx or 3xx responses:\s*(\d+)/) ?? 0,
    socketErrors: errors.reduce((sum, count) => sum + count, 0),
    p50Ms: latency(50),
    p99Ms: latency(99),
  };
}

/** Loads the address for some seconds, with a form where there is one. Any answer but a good one is an error: it would have been cheaper. */
export async function load(url, { seconds, connections, headers = {}, form }) {
  const named = Object.entries(headers).flatMap(([name, value]) => ["-H", `${name}: ${value}`]);
  const folder = form && mkdtempSync(join(tmpdir(), "tollgate-wrk-"));
  const script = folder && join(folder, "post.lua");
  if (script) {
    // JSON's texts are Lua's, as long as nothing in them has to be escaped.
    const body = JSON.stringify(new URLSearchParams(form).toString());
    writeFileSync(script, `wrk.method = "POST"\nwrk.body = ${body}\nwrk.headers["Content-Type"] = "application/x-www-form-urlencoded"\n`);
  }
  const args = ["-t1", `-c${connections}`, `-d${seconds}s`, "--latency", ...(script ? ["-s", script] : []), ...named, url];
  let output = "";
  const code = await run("wrk", args, { log: (piece) => (output += piece) });
  if (folder) rmSync(folder, { recursive: true });
  if (code !== 0) throw new Error(`wrk ended with code ${code}:\n${output}`);
  const result = parse(output);
  if (result.notOk > 0 || result.socketErrors > 0) {
    throw new Error(`${url}: ${result.notOk} answers were not 2xx, ${result.socketErrors} connections failed`);
  }
  return result;
}
