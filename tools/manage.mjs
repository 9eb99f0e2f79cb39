// `make client`, `make user`, `make config-put`, `make rotate-keys`: each is one call of the management API.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

import { ask, operators, reason } from "./operators.mjs";
import { fail, root } from "./project.mjs";
import { readAssignments } from "./settings.mjs";

const COMMON = `  REALM   the realm (test)
  URL     where tollgate answers (that of the last \`make dev\`, else http://127.0.0.1:8787)

The request bears TOLLGATE_TOKEN of the environment: an access token of that realm with the scope that is named above. Without it, and at the
local instance only, one of the first admin's credential (.dev/operators.json).
`;

const USAGE = {
  client: `make client REALM=test NAME="my service" SCOPES="orders:read customers:read"

Registers a client in a realm of a running instance and prints its id and secret (clients:manage).

  NAME    what people call the client; required
  SCOPES  what it may ask for, separated by blanks; required
  GRANTS  how it gets tokens, separated by blanks (client_credentials); add refresh_token to hand out refresh tokens
${COMMON}`,
  user: `make user REALM=test LOGIN=ada@example.com ROLES="owner"

Takes a person in (users:manage). Without a password, they are sent a link to choose one, where the realm sends mail.

  LOGIN   what they sign in with; required
  ROLES   their roles, separated by blanks
  NAME    their name
  TOLLGATE_PASSWORD in the environment: their password
${COMMON}`,
  "config-put": `make config-put REALM=test FILE=tollgate.json

Puts a document in the place of the configuration that counts, in the realm that it is managed from (config:manage). Where it is not good, prints
everything that is wrong with it; what counted goes on to count. What is put is one document: \`make -s config-print CONFIG=FILE\` prints it. Tests in it stay here.

  FILE    the document, with comments, \`includes\` and \`blocks\` if it has them; required
${COMMON}`,
  "rotate-keys": `make rotate-keys REALM=test

Makes and publishes the next signing key (keys:manage), and prints where each key stands. It signs when every validator can have it.

${COMMON}`,
};

const what = process.argv[2];
const usage = USAGE[what] ?? fail(`There is no \`${what}\`; there are ${Object.keys(USAGE).join(", ")}.`, 2);
if (process.argv.includes("--help")) {
  process.stdout.write(usage);
  process.exit(0);
}

// make hands over its variables in the environment, where no quoting can go wrong.
const given = (name) => process.env[name] ?? "";
const words = (text) => text.split(/\s+/).filter(Boolean);
const need = (name) => given(name).trim() || fail(`${name} is missing.\n\n${usage}`, 2);

const folder = resolve(root, given("DEV_DIR") || ".dev");
const local = (file) => (existsSync(join(folder, file)) ? readAssignments(join(folder, file)) : {});
const realm = given("REALM") || "test";
const url = (given("URL") || local("demo.env").TOLLGATE_URL || "http://127.0.0.1:8787").replace(/\/+$/, "");
const api = `${url}/${encodeURIComponent(realm)}/api/v1`;

/** From the environment, or of the local instance: never is its secret sent anywhere else. */
async function token() {
  if (given("TOLLGATE_TOKEN")) return given("TOLLGATE_TOKEN");
  if (!/^https?:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(url)) {
    throw new Error("Set TOLLGATE_TOKEN: an access token of the realm, by client credentials say.");
  }
  return operators({ url, folder, bootstrap: local("vars").TOLLGATE_BOOTSTRAP_TOKEN }).token(realm);
}

/** `told`: what to say of errors in a document. */
async function call(path, { told = (errors) => errors.map(({ path: at, problem }) => `${at}: ${problem}`), ...options } = {}) {
  const answer = await ask(`${api}${path}`, { token: await token(), ...options });
  if (answer.status < 300) return answer;
  if (answer.status === 401) throw new Error(`${api}${path} refused the token (401). It must be a valid access token of \`${realm}\`; see TOLLGATE_TOKEN.`);
  if (answer.status === 404) throw new Error(`${api}${path} does not exist (404): ${answer.body?.detail ?? ""} Is \`${realm}\` a realm of the running configuration?`);
  const wrong = told(answer.body?.errors ?? []).map((line) => `\n  ${line}`).join("");
  throw new Error(`${api}${path} answered ${reason(answer)}${wrong}`);
}

const commands = {
  async client() {
    const json = { client_name: need("NAME"), scope: words(need("SCOPES")).join(" "), grant_types: words(given("GRANTS") || "client_credentials") };
    const { body: client } = await call("/clients", { json });
    return `Registered \`${client.client_name}\` in realm \`${realm}\` with the scope \`${client.scope}\`.

  client_id      ${client.client_id}
  client_secret  ${client.client_secret}

The secret is not shown again: only a digest of it is stored.
`;
  },
  async user() {
    const password = given("TOLLGATE_PASSWORD");
    const name = given("NAME");
    const json = { login: need("LOGIN"), roles: words(given("ROLES")), ...(name && { profile: { name } }), ...(password ? { password } : { invite: true }) };
    const { body: user } = await call("/users", { json });
    const next = password ? "They sign in with the password." : "A link to choose a password is on its way to them.";
    return `Took \`${user.login}\` into realm \`${realm}\`, with the id ${user.id}. ${next}\n`;
  },
  async "config-put"() {
    const file = resolve(root, need("FILE"));
    // Here, because it needs npm packages and nothing else does.
    const { readDocument, tell } = await import("./document.mjs");
    const { withoutTests } = await import("./without-tests.mjs");
    const document = readDocument(file);
    // What somebody else puts meanwhile is not overwritten.
    const { headers } = await call("/config");
    const put = { method: "PUT", text: withoutTests(document.text), headers: { "if-match": headers.get("etag") }, told: (errors) => tell(document, errors) };
    const { body } = await call("/config", put);
    return `${file} counts now, as version ${body.version}: here at once, at every edge within 90 seconds.\n`;
  },
  async "rotate-keys"() {
    const { body } = await call("/keys/rotate", { method: "POST" });
    const lines = body.keys.map(({ kid, alg, state }) => `  ${kid}  ${alg}  ${state}`);
    return `The next key of realm \`${realm}\` is made.\n\n${lines.join("\n")}\n`;
  },
};

try {
  process.stdout.write(await commands[what]());
} catch (error) {
  fail(error.message);
}
