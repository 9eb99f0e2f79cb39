// `make explain`: which route a request matches, which check fails, and why. Fetches the keys that the decision asks for, and nothing else.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";

import { policy, readConfig } from "./policy.mjs";
import { fail } from "./project.mjs";

const USAGE = `TOKEN=… make explain METHOD=GET URL=https://gate.example.com/orders

Says what becomes of a request, and why (docs/policy.md): by the code that decides at the edge, with the configuration here. Nothing is sent to the gate. Keys are
fetched from where the configuration says; where they cannot be had, it says so, and goes on.

  METHOD         the method (GET)
  URL            the address, as the caller has it; required
  TOKEN          in the environment: the token, which is put where the route looks for it. It is never printed
  HEADERS        in the environment: other headers, one a line: \`Name: value\`
  CONFIG         the configuration (tollgate.json)
  JWKS           a file with the key set of the token's issuer, in place of the one that it publishes
  INTROSPECTION  a file with what the token's issuer answers where it is asked about the token (RFC 7662)
  AT             when the request came, in seconds since 1970 (now)
  OFFLINE        anything: fetches nothing
  JSON           anything: for machines
`;

if (process.argv.includes("--help")) {
  process.stdout.write(USAGE);
  process.exit(0);
}

// As the worker does it: src/port/mod.rs.
const WEB_TIMEOUT = 3000;
const MAX_WEB_BODY = 64 * 1024;
// An issuer may send from its metadata to its keys: two rounds, and no more than a few ever.
const ROUNDS = 5;

// What make hands on of a command line holds the token as well, where somebody has written it there.
const SECRET = ["TOKEN", "HEADERS", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES"];

const given = (name) => process.env[name] ?? "";

function fileOf(name) {
  if (!given(name)) return undefined;
  const path = resolve(given(name));
  if (!existsSync(path)) throw new Error(`${name}: there is no ${path}.`);
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw new Error(`${name}: ${path} is no JSON.`);
  }
}

function headersOf(text) {
  const headers = {};
  for (const line of text.split("\n").filter((line) => line.trim())) {
    const [, name, value] = /^([!#$%&'*+\-.^_`|~\w]+):\s*(.*?)\s*$/.exec(line) ?? fail("HEADERS: each line has to be `Name: value`.", 2);
    headers[name] = value;
  }
  return headers;
}

/** What stands at an address: as the worker would take it. */
async function fetched(url) {
  if (given("OFFLINE")) return { failed: "nothing is fetched" };
  try {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(WEB_TIMEOUT), headers: { accept: "application/json" } });
    if (response.status !== 200) {
      await response.body?.cancel();
      return { failed: `status ${response.status}` };
    }
    const pieces = [];
    let length = 0;
    for await (const piece of response.body ?? []) {
      length += piece.byteLength;
      if (length > MAX_WEB_BODY) return { failed: "it is too long" };
      pieces.push(piece);
    }
    return { text: Buffer.concat(pieces).toString("utf8") };
  } catch (error) {
    return { failed: error.name === "TimeoutError" ? "no answer in 3 s" : `no answer (${error.cause?.code ?? error.name})` };
  }
}

async function explain() {
  if (!given("URL")) fail(`URL is missing.\n\n${USAGE}`, 2);
  const at = given("AT") ? Number(given("AT")) : Math.floor(Date.now() / 1000);
  if (!Number.isSafeInteger(at) || at < 0) fail("AT has to be a number of seconds since 1970.", 2);
  const input = {
    config: readConfig(),
    method: given("METHOD") || "GET",
    url: given("URL"),
    headers: headersOf(given("HEADERS")),
    token: given("TOKEN") || undefined,
    at,
    jwks: fileOf("JWKS"),
    introspection: fileOf("INTROSPECTION"),
    pages: {},
  };
  for (let round = 0; round < ROUNDS; round += 1) {
    const { code, output } = await policy(["explain", "--json"], JSON.stringify(input), { keep: true, secret: SECRET });
    if (code !== 0) return code;
    const { needs } = JSON.parse(output);
    if (!needs) break;
    for (const url of needs) input.pages[url] = await fetched(url);
  }
  const { code } = await policy(["explain", ...(given("JSON") ? ["--json"] : [])], JSON.stringify(input), { secret: SECRET });
  return code;
}

try {
  process.exitCode = await explain();
} catch (error) {
  fail(error.message);
}
