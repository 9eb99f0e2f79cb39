// The files of one local instance: its secrets, its demo client. All in one folder, `.dev` by default.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const b64 = (bytes) => randomBytes(bytes).toString("base64url");

/** Written so that only the owner can read it, whatever the umask says. */
export function writeSecret(path, text) {
  writeFileSync(path, text, { mode: 0o600 });
}

export function makeFolder(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/** The worker's secrets, made once: the key encryption key must outlive a restart, or the signing keys are lost. `more`: by name. */
export function secrets(folder, more = {}) {
  const path = join(folder, "vars");
  if (!existsSync(path)) {
    writeSecret(path, `TOLLGATE_KEK=${b64(32)}\nTOLLGATE_BOOTSTRAP_TOKEN=tgb_${b64(32)}\n`);
  }
  if (Object.keys(more).length > 0) writeAssignments(path, { ...readAssignments(path), ...more });
  return { path, values: readAssignments(path) };
}

/** `NAME=value` lines, as in `vars`, or `NAME='value'`, as in `demo.env`. */
export function readAssignments(path) {
  const lines = readFileSync(path, "utf8").matchAll(/^([A-Z_]+)=(?:'((?:[^']|'\\'')*)'|(.*))$/gm);
  return Object.fromEntries([...lines].map(([, name, quoted, plain]) => [name, quoted?.replaceAll("'\\''", "'") ?? plain]));
}

export function writeAssignments(path, values) {
  const line = ([name, value]) => `${name}='${value.replaceAll("'", "'\\''")}'\n`;
  writeSecret(path, Object.entries(values).map(line).join(""));
}
