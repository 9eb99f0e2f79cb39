// `make policy-check`: lints a configuration, and runs the tests that stand beside its rules.
import { policy, readConfig } from "./policy.mjs";
import { fail } from "./project.mjs";

const USAGE = `make policy-check CONFIG=tollgate.json

Says what is questionable about a configuration, and runs the tests that stand in it (docs/policy.md). Ends with a failure where something is an error, or a test
fails. The first time it compiles for a minute or two.

  CONFIG  the configuration (tollgate.json)
  STRICT  anything: warnings count as errors
  ALLOW   kinds of findings to leave out, separated by blanks: what stands in brackets behind each; no error can be left out
  JSON    anything: for machines
`;

if (process.argv.includes("--help")) {
  process.stdout.write(USAGE);
  process.exit(0);
}

const given = (name) => process.env[name] ?? "";
const allowed = given("ALLOW").split(/\s+/).filter(Boolean);
const args = ["check", ...(given("STRICT") ? ["--strict"] : []), ...(given("JSON") ? ["--json"] : []), ...allowed.flatMap((kind) => ["--allow", kind]), "-"];
try {
  const { code } = await policy(args, readConfig());
  process.exitCode = code;
} catch (error) {
  fail(error.message);
}
