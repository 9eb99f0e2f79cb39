// Reads a configuration with the worker's own parser, which says everything that is wrong with it.
import { tell } from "./document.mjs";
import { environment } from "./project.mjs";
import { run } from "./run.mjs";

const ARGUMENTS = ["run", "--quiet", "--locked", "--no-default-features", "--bin", "tollgate-check", "--", "--json", "-"];

/** Throws when the document, as `readDocument` gives it, is not good; says why to `log`, or on the terminal, with the places in the files. */
export async function check(document, { log, signal } = {}) {
  let said = "";
  const code = await run("cargo", ARGUMENTS, { env: environment(), input: document.text, log, onStdout: (text) => (said += text), signal });
  if (code === 0) return;
  const problems = said.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  if (problems.length === 0) throw new Error("The configuration could not be checked: the reason is above.");
  const lines = tell(document, problems).map((line) => `${line}\n`).join("");
  (log ?? ((text) => process.stderr.write(text)))(lines);
  throw new Error("The configuration is not good: the reason is above.");
}
