// The first admin, the demo client and the demo person of a local instance: made on the first start, kept over restarts.
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";

import { ask, reason } from "./operators.mjs";
import { readAssignments, writeAssignments } from "./settings.mjs";

const LOGIN = "ada@example.com";

// What the demo shows, as far as the configuration has it.
const WANTED = ["orders:read", "customers:read"];

function demoScope(scopes) {
  const wanted = WANTED.filter((name) => scopes.some((scope) => scope.name === name));
  const first = scopes.find((scope) => !scope.internal);
  return (wanted.length > 0 ? wanted : first ? [first.name] : []).join(" ");
}

/** A route of the example API that this client may call: the first plain GET whose scopes it has. */
function demoRoute({ realm, routes, scopes }, scope) {
  const held = new Set(scope.split(" "));
  // Grows while it is walked: what is implied may imply more.
  for (const name of held) for (const implied of scopes.find((known) => known.name === name)?.implies ?? []) held.add(implied);
  const may = ({ anonymous, require }) =>
    anonymous !== true && (require?.scopes ?? []).every((name) => held.has(name)) && (require?.issuers ?? [realm]).includes(realm);
  const plain = routes.filter((route) => !route.host && route.methods?.includes("GET") && !/[{*]/.test(route.path));
  return (plain.find(may) ?? plain.find((route) => route.anonymous === true))?.path ?? "/";
}

/** Makes sure of the demo person, and says their password. Whoever was there under the login before gets a new one. */
async function seedPerson({ url, realm, token, roles, known }) {
  if (known.TOLLGATE_LOGIN && known.TOLLGATE_PASSWORD && known.TOLLGATE_PERSON) {
    const there = await ask(`${url}/${realm}/api/v1/users/${known.TOLLGATE_PERSON}`, { token });
    if (there.status === 200) return { id: known.TOLLGATE_PERSON, password: known.TOLLGATE_PASSWORD };
  }
  const password = randomBytes(12).toString("base64url");
  const profile = { name: "Ada Lovelace", email: LOGIN };
  const made = await ask(`${url}/${realm}/api/v1/users`, { token, json: { login: LOGIN, password, roles, profile } });
  // 409: of an earlier demo, whose file is gone. Then there is nobody to show.
  if (made.status === 201) return { id: made.body.id, password };
  if (made.status === 409) return undefined;
  throw new Error(`The demo person was not made: ${made.status} ${made.body?.detail ?? ""}`);
}

/** Whether the issuer still knows this client: false only when it says so. */
async function knowsClient({ issuer, id, secret }) {
  // RFC 6749, section 2.3.1: both are form-encoded before they are joined.
  const form = (text) => new URLSearchParams({ x: text }).toString().slice(2);
  const basic = Buffer.from(`${form(id)}:${form(secret)}`).toString("base64");
  const headers = { authorization: `Basic ${basic}` };
  const response = await fetch(`${issuer}/oauth/token`, { method: "POST", headers, body: new URLSearchParams({ grant_type: "client_credentials" }) });
  await response.arrayBuffer();
  return response.status !== 401;
}

/** Makes sure of `demo.env` in `folder` and returns what it says. */
export async function seed({ url, realms, scopes, routes, roles, operators, folder }) {
  const realm = "test" in realms ? "test" : Object.keys(realms)[0];
  if (realm === undefined) throw new Error("The configuration has no realm to seed.");
  const admin = await operators.admin(realm);
  const token = await operators.token(realm);
  const path = join(folder, "demo.env");
  const known = existsSync(path) ? readAssignments(path) : {};
  const [id, secret] = [known.TOLLGATE_CLIENT_ID, known.TOLLGATE_CLIENT_SECRET];
  // The address that is served, not the issuer's: behind another host name the issuer may not lead here.
  let client = { client_id: id, client_secret: secret, scope: known.TOLLGATE_SCOPE };
  if (!id || !secret || !(await knowsClient({ issuer: `${url}/${realm}`, id, secret }))) {
    const json = { client_name: "demo", scope: demoScope(scopes), grant_types: ["client_credentials"], roles: roles.slice(0, 1) };
    const made = await ask(`${url}/${realm}/api/v1/clients`, { token, json });
    if (made.status !== 201) throw new Error(`The demo client was not made (${reason(made)})`);
    client = made.body;
  }
  const person = await seedPerson({ url, realm, token, roles: roles.slice(0, 1), known });
  const values = {
    TOLLGATE_URL: url,
    TOLLGATE_ISSUER: realms[realm],
    TOLLGATE_CLIENT_ID: client.client_id,
    TOLLGATE_CLIENT_SECRET: client.client_secret,
    TOLLGATE_SCOPE: client.scope,
    TOLLGATE_ADMIN_LOGIN: admin.login,
    TOLLGATE_ADMIN_PASSWORD: admin.password,
    TOLLGATE_ADMIN_CLIENT_ID: admin.client_id,
    TOLLGATE_ADMIN_CLIENT_SECRET: admin.client_secret,
    ...(person && { TOLLGATE_PERSON: person.id, TOLLGATE_LOGIN: LOGIN, TOLLGATE_PASSWORD: person.password }),
    TOLLGATE_API: `${url}${demoRoute({ realm, routes, scopes }, client.scope)}`,
  };
  writeAssignments(path, values);
  return { path, values, realm, isNew: known.TOLLGATE_ADMIN_PASSWORD !== admin.password };
}
