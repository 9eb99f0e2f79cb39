// Calls `tollgate-policy`, which decides as an edge does: for `make policy-check` and `make explain`.
import { resolve } from "node:path";

import { readDocument } from "./document.mjs";
import { environment, root } from "./project.mjs";
import { run } from "./run.mjs";

/** The configuration that CONFIG names. */
export function readConfig() {
  return readDocument(resolve(root, process.env.CONFIG || "tollgate.json")).text;
}

/** Runs it to its end with `input` on its standard input; `secret`: names of variables that it does not get. What it prints goes to the terminal, or comes back with `keep`. */
export async function policy(args, input, { keep = false, secret = [] } = {}) {
  const env = environment();
  for (const name of secret) delete env[name];
  const command = ["run", "--quiet", "--locked", "--no-default-features", "--features", "policy", "--bin", "tollgate-policy", "--", ...args];
  let output = "";
  const code = await run("cargo", command, { env, input, onStdout: keep ? (text) => (output += text) : undefined });
  return { code, output };
}
