// Runs a program to its end.
import { spawn } from "node:child_process";

import { environment, root } from "./project.mjs";

/**
 * Resolves with the exit code. Output goes to the terminal, or piece by piece to `log`, and standard output alone to `onStdout`.
 * `input`: what the program reads. An aborted `signal` ends the program.
 */
export function run(program, args, { env, input, log, onStdout, signal, quiet = false } = {}) {
  return new Promise((resolve, reject) => {
    const output = quiet ? "ignore" : log ? "pipe" : "inherit";
    const child = spawn(program, args, {
      cwd: root,
      env: env ?? environment(),
      signal,
      stdio: [input === undefined ? "ignore" : "pipe", onStdout ? "pipe" : output, output],
    });
    child.stdout?.setEncoding("utf8").on("data", onStdout ?? log);
    child.stderr?.setEncoding("utf8").on("data", log);
    // A program that ends without reading everything says why by its exit code.
    child.stdin?.on("error", () => {}).end(input);
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

/** As `run`, and throws when the program fails. */
export async function mustRun(program, args, options) {
  const code = await run(program, args, options);
  if (code !== 0) throw new Error(`\`${[program, ...args].join(" ")}\` failed with code ${code}`);
}
