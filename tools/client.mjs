// `make client`: registers a client at a running instance and prints its secret once.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { registerClient } from "./clients.mjs";
import { fail, root } from "./project.mjs";
import { readAssignments } from "./settings.mjs";

const USAGE = `make client REALM=test NAME="my service" SCOPES="orders:read customers:read"

Registers a client in a realm of a running instance and prints its id and secret.

  REALM   the realm (test)
  NAME    what people call the client; required
  SCOPES  what it may ask for, separated by blanks; required
  GRANTS  how it gets tokens, separated by blanks (client_credentials); add refresh_token to hand out refresh tokens
  URL     where tollgate answers (that of the last \`make dev\`, else http://127.0.0.1:8787)

The request is authorised with TOLLGATE_BOOTSTRAP_TOKEN of the environment, else with that of the local instance (.dev/vars).
`;

const { values } = parseArgs({
  options: {
    realm: { type: "string" },
    name: { type: "string" },
    scopes: { type: "string" },
    grants: { type: "string" },
    url: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}

// make hands over its variables in the environment, where no quoting can go wrong.
const given = (name) => values[name] ?? process.env[name.toUpperCase()] ?? "";
const words = (text) => text.split(/\s+/).filter(Boolean);

const folder = resolve(root, process.env.DEV_DIR || ".dev");
const local = (file) => (existsSync(join(folder, file)) ? readAssignments(join(folder, file)) : {});

const realm = given("realm") || "test";
const name = given("name");
const scope = words(given("scopes")).join(" ");
const grants = words(given("grants") || "client_credentials");
const url = (given("url") || local("demo.env").TOLLGATE_URL || "http://127.0.0.1:8787").replace(/\/+$/, "");
const token = process.env.TOLLGATE_BOOTSTRAP_TOKEN || local("vars").TOLLGATE_BOOTSTRAP_TOKEN;

if (!name || !scope) fail(`${name ? "SCOPES" : "NAME"} is missing.\n\n${USAGE}`, 2);
if (!token) fail("There is no bootstrap token: start `make dev` once, or set TOLLGATE_BOOTSTRAP_TOKEN.");

try {
  const client = await registerClient({ url, realm, token, name, scope, grants });
  process.stdout.write(`Registered \`${client.client_name}\` in realm \`${realm}\` with the scope \`${client.scope}\`.

  client_id      ${client.client_id}
  client_secret  ${client.client_secret}

The secret is not shown again: only a digest of it is stored.
`);
} catch (error) {
  fail(error.message);
}
