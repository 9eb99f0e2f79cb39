// The files of one local instance: its configuration, its secrets, its demo client. All in one folder, `.dev` by default.
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

import { root } from "./project.mjs";

// With the path following directly, because the rest of an issuer is compared as text.
const LOOPBACK = /^(https?:\/\/)(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(?=\/|$)/;

const b64 = (bytes) => randomBytes(bytes).toString("base64url");

/** Written so that only the owner can read it, whatever the umask says. */
export function writeSecret(path, text) {
  writeFileSync(path, text, { mode: 0o600 });
}

export function makeFolder(folder) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

/**
 * Writes the configuration with loopback issuers and resources at the port that is really served; otherwise discovery would lead elsewhere.
 * Text is replaced, not printed anew, so that an error of the build names the line of the original.
 */
export function effectiveConfig({ config, port, folder }) {
  if (!existsSync(config)) throw new Error(`There is no configuration at ${config}.`);
  const text = readFileSync(config, "utf8");
  let parsed;
  try {
    parsed = JSON.parse(text);
  } catch {
    return { path: config, realms: {}, scopes: [], routes: [], roles: [] }; // the build says what is wrong with it
  }
  let effective = text;
  const realms = {};
  for (const [name, realm] of Object.entries(parsed?.realms ?? {})) {
    if (typeof realm?.issuer !== "string") continue;
    realms[name] = realm.issuer.replace(LOOPBACK, `$1$2:${port}`);
    effective = effective.replaceAll(JSON.stringify(realm.issuer), JSON.stringify(realms[name]));
  }
  for (const { resource } of Array.isArray(parsed?.resources) ? parsed.resources : []) {
    if (typeof resource !== "string") continue;
    effective = effective.replaceAll(JSON.stringify(resource), JSON.stringify(resource.replace(LOOPBACK, `$1$2:${port}`)));
  }
  const scopes = Object.entries(parsed?.scopes ?? {}).map(([name, scope]) => ({ name, internal: scope?.internal === true, implies: scope?.implies ?? [] }));
  const routes = Array.isArray(parsed?.routes) ? parsed.routes : [];
  const roles = Object.keys(parsed?.roles ?? {});
  if (effective === text) return { path: config, realms, scopes, routes, roles };
  const path = join(folder, "tollgate.json");
  writeFileSync(path, effective);
  return { path, realms, scopes, routes, roles, copyOf: relative(root, config) };
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
