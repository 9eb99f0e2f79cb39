// The management API by its own description, as schemathesis tries it: what is described and what is not, in every combination. No answer is a
// server error, and each has a status, a content type, headers and a shape that the served document names.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

import { root, schemathesis } from "../../tools/project.mjs";
import { ask, assertStatus, seconds } from "./support/issuer.mjs";
import { endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { rememberToken } from "./support/secrets.mjs";

// schemathesis.json names it, and for how long its credentials are good.
const PORT = 8819;
const CREDENTIAL_SECONDS = 2_592_000;
const ROLES = ["agent", "viewer"];
const SECONDS = 60;
// Where it begins; how far it comes is a matter of time, so no two runs are quite the same. SEED= begins elsewhere.
const SEED = process.env.SEED ?? "1";
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_schema_conformance",
  "response_headers_conformance",
  "negative_data_rejection",
];
// What counts once, and what there is one of for everybody: tests of their own have these.
const EXCLUDED = ["bootstrap", "keys-rotate", "keys-promote"];
// What nothing is good for: a realm without mail invites nobody, and which sessions there are no test of this kind knows.
const NEVER_DONE = ["invite-user", "end-session"];

// Only what it has made itself is changed and deleted: it would take its own token away.
const SETTINGS = `
headers = { Authorization = "Bearer \${TOKEN}" }
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 409, 412, 413, 422]
[phases.stateful]
inference.algorithms = []
[phases.examples]
extra-data-sources.responses = false
[phases.coverage]
extra-data-sources.responses = false
[phases.fuzzing]
extra-data-sources.responses = false
`;

const server = await startInstance("schemathesis", { port: PORT, config: "tests/e2e/schemathesis.json" });
const api = `${server.realms.test}/api/v1`;
const folder = mkdtempSync(join(tmpdir(), "tollgate-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const deployed = JSON.parse(readFileSync(join(root, "tests/e2e/schemathesis.json"), "utf8"));
/** The deployed document, with nothing in it that any other request could meet. */
const renamed = (name) => ({ ...deployed, scopes: { ...deployed.scopes, "orders:read": { description: name } } });

const made = {
  clients: async (call, name) => (await call("/clients", { client_name: name })).client_id,
  credentials: async (call, name) => (await call("/credentials", { name, expires_at: seconds() + 86_400 })).client_id,
  users: async (call, name) => (await call("/users", { login: name })).id,
  config: async (call, name) => String((await call("/config", renamed(name), { method: "PUT", status: 200 })).version),
};

/** Something for each operation to be done to. */
async function withThings(document, token) {
  const call = async (path, json, { method = "POST", status = 201 } = {}) => assertStatus(await ask(`${api}${path}`, { method, bearer: token, json }), status);
  for (const [path, methods] of Object.entries(document.paths).filter(([path]) => path.includes("{id}"))) {
    for (const operation of Object.values(methods).filter(({ operationId }) => !NEVER_DONE.includes(operationId))) {
      const example = await made[path.split("/")[1]](call, operation.operationId);
      operation.parameters = operation.parameters.map((given) => {
        const known = document.components.parameters[given.$ref?.split("/").at(-1)] ?? given;
        return known.name === "id" && known.in === "path" ? { ...known, example } : given;
      });
    }
  }
  return document;
}

/** The served document, with the names and times of this deployment where any would fit. */
function narrowed(document) {
  const schemas = document.components.schemas;
  const end = { type: "integer", minimum: seconds() + 1, maximum: seconds() + CREDENTIAL_SECONDS + 600 };
  const scopes = ["", "orders:read", "orders:internal orders:read"];
  schemas.Role = { enum: ROLES };
  schemas.NewCredential.properties.expires_at = end;
  schemas.CredentialChange.properties.expires_at = { ...end, type: ["integer", "null"] };
  schemas.NewCredential.properties.scope = { enum: scopes };
  schemas.Registration.properties.scope = { enum: scopes };
  const { post } = document.paths["/credentials"];
  post.requestBody.content["application/json"].example.expires_at = seconds() + 86_400;
  // A document of another deployment would be put, and nobody's token would be of this realm any more.
  for (const operation of [document.paths["/config"].put, document.paths["/config/validate"].post]) {
    operation.requestBody.content["application/json"].example = renamed("Put by the example");
  }
  return document;
}

/** Runs it; what it printed, and every exchange that it made. */
async function run(document, token) {
  const path = (name) => join(folder, name);
  writeFileSync(path("openapi.json"), JSON.stringify(document));
  writeFileSync(path("settings.toml"), SETTINGS);
  const args = [
    ...["--config-file", path("settings.toml"), "run", path("openapi.json"), "--url", api, "--checks", CHECKS.join(",")],
    ...["--max-examples", "25", "--max-time", String(SECONDS), "--seed", SEED, "--request-timeout", "10", "--continue-on-failure"],
    ...EXCLUDED.flatMap((name) => ["--exclude-operation-id", name]),
    ...["--report", "ndjson", "--report-ndjson-path", path("report.ndjson"), "--no-color", "--warnings", "off"],
  ];
  const child = spawn(schemathesis().program, args, { cwd: folder, env: { ...process.env, TOKEN: token } });
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (printed += text));
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  assert.ok(existsSync(path("report.ndjson")), printed);
  const exchanges = readFileSync(path("report.ndjson"), "utf8").split("\n").filter(Boolean).flatMap((line) => {
    const { cases = {}, interactions = {} } = JSON.parse(line).ScenarioFinished?.recorder ?? {};
    return Object.entries(interactions).map(([id, { response }]) => ({ ...cases[id]?.value, status: response?.status_code }));
  });
  return { code, printed, exchanges };
}

test("no request that the description makes possible is answered otherwise than it says", async () => {
  const token = rememberToken(await server.operators.token("test"));
  const served = assertStatus(await ask(`${api}/openapi.json`, { method: "GET" }), 200);
  const { code, printed, exchanges } = await run(await withThings(narrowed(structuredClone(served)), token), token);
  assert.equal(code, 0, printed);
  // It came far enough: every operation has done what it is for.
  const done = new Set(exchanges.filter(({ status }) => status < 300).map(({ method, path }) => `${method} ${path}`));
  const operations = Object.entries(served.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId }]) => ({ name: operationId, at: `${method.toUpperCase()} ${path}` })),
  );
  const missing = operations.filter(({ name, at }) => ![...EXCLUDED, ...NEVER_DONE].includes(name) && !done.has(at));
  assert.deepEqual(missing, [], `${exchanges.length} exchanges\n${printed}`);
  assert.ok(exchanges.length > 1000, String(exchanges.length));
  assertStatus(await ask(`${api}/me`, { method: "GET", bearer: token }), 200);
});

endsWithoutLeaks();
