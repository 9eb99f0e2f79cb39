// A configuration as a local instance serves it.
import { readDocument } from "./document.mjs";

// With the path following directly, because the rest of an issuer is compared as text.
const LOOPBACK = /^(https?:\/\/)(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(?=\/|$)/;

const entries = (value) => (typeof value === "object" && value !== null ? Object.entries(value) : []);
const list = (value) => (Array.isArray(value) ? value : []);

/**
 * Reads a configuration, and moves loopback issuers and resources to the port that is really served; otherwise discovery would lead elsewhere.
 * Text is replaced, not printed anew, so that an error of the build leads to the original. Returns the `document`, and what it says about
 * realms, scopes, routes and roles, as far as it can be understood: the build says what cannot.
 */
export function effectiveDocument({ config, port }) {
  const document = readDocument(config);
  const parsed = JSON.parse(document.text);
  let { text } = document;
  const move = (address) => {
    const moved = address.replace(LOOPBACK, `$1$2:${port}`);
    text = text.replaceAll(JSON.stringify(address), JSON.stringify(moved));
    return moved;
  };
  const realms = {};
  for (const [name, realm] of entries(parsed.realms)) if (typeof realm?.issuer === "string") realms[name] = move(realm.issuer);
  for (const entry of list(parsed.resources)) if (typeof entry?.resource === "string") move(entry.resource);
  const scopes = entries(parsed.scopes).map(([name, scope]) => ({ name, internal: scope?.internal === true, implies: list(scope?.implies) }));
  return { document: { ...document, text }, realms, scopes, routes: list(parsed.routes), roles: entries(parsed.roles).map(([name]) => name) };
}
