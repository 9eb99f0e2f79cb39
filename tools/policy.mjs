// Calls `tollgate-policy`, which decides as an edge does: for `make policy-check` and `make explain`.
import { spawn } from "node:child_process";
import { resolve } from "node:path";

import { readDocument } from "./document.mjs";
import { environment, root } from "./project.mjs";

/** The configuration that CONFIG names. */
export function readConfig() {
  return readDocument(resolve(root, process.env.CONFIG || "tollgate.json")).text;
}

/** Runs it to its end with `input` on its standard input; `secret`: names of variables that it does not get. What it prints goes to the terminal, or comes back with `keep`. */
export function policy(args, input, { keep = false, secret = [] } = {}) {
  const env = environment();
  for (const name of secret) delete env[name];
  const command = ["run", "--quiet", "--locked", "--no-default-features", "--features", "policy", "--bin", "tollgate-policy", "--", ...args];
  return new Promise((done, failed) => {
    const child = spawn("cargo", command, { cwd: root, env, stdio: ["pipe", keep ? "pipe" : "inherit", "inherit"] });
    let output = "";
    child.stdout?.setEncoding("utf8").on("data", (text) => (output += text));
    child.stdin.on("error", () => {}); // it has ended without reading, and says why
    child.stdin.end(input);
    child.once("error", failed);
    child.once("close", (code) => done({ code: code ?? 1, output }));
  });
}
