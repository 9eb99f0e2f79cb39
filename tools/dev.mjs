// `make dev`: an instance for people. PORT, CONFIG and DEV_DIR choose which.
import { relative } from "node:path";

import { fail, root } from "./project.mjs";
import { startServer } from "./server.mjs";

const port = Number(process.env.PORT || 8787);
if (!Number.isInteger(port) || port < 1 || port > 65535) fail(`PORT must be a number from 1 to 65535, not \`${process.env.PORT}\`.`);

const interrupted = new AbortController();
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(name, () => interrupted.abort());

/** Lines to paste into a shell. Secrets stay in the file that the first line reads. */
function lines(server, demoFile) {
  // A configuration may have the issuer of a deployment, which does not lead here.
  const issuer = server.issuer.startsWith(`${server.url}/`) ? "$TOLLGATE_ISSUER" : `$TOLLGATE_URL/${server.realm}`;
  const url = server.url === "http://127.0.0.1:8787" ? "" : ` URL=${server.url}`;
  return `
tollgate answers at ${server.url}; its example API is behind it. Paste these into another terminal:

  . ${demoFile}

  # A token for the demo client, kept in $TOKEN
  TOKEN=$(curl -s -u "$TOLLGATE_CLIENT_ID:$TOLLGATE_CLIENT_SECRET" -d grant_type=client_credentials "${issuer}/oauth/token" | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')

  # 200: the client has the scope of this route
  curl -i -H "Authorization: Bearer $TOKEN" "$TOLLGATE_API"

  # 403: it lacks locations:read
  curl -i -H "Authorization: Bearer $TOKEN" "$TOLLGATE_URL/locations"

  # 401: no token, then one that is none
  curl -i "$TOLLGATE_API"
  curl -i -H "Authorization: Bearer garbage" "$TOLLGATE_API"

  # 404: no such route
  curl -i -H "Authorization: Bearer $TOKEN" "$TOLLGATE_URL/nowhere"

  # People: sign in there with what this prints
  echo "$TOLLGATE_URL/${server.realm}/account: $TOLLGATE_LOGIN $TOLLGATE_PASSWORD"

  # The console: sign in there as them, or as the admin
  echo "$TOLLGATE_URL/${server.realm}/console: $TOLLGATE_ADMIN_LOGIN $TOLLGATE_ADMIN_PASSWORD"

${server.mcp ? `  # MCP: lists and calls tools, once you have signed in as above at the address that it prints. Any other MCP client can connect there as well
  node examples/mcp/client.mjs "$TOLLGATE_URL${server.mcp}"

` : ""}  # Managing by the API: a token of the admin's, and who is there
  ADMIN=$(curl -s -d "grant_type=client_credentials&client_id=$TOLLGATE_ADMIN_CLIENT_ID&client_secret=$TOLLGATE_ADMIN_CLIENT_SECRET" "${issuer}/OAuth/Token" | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')
  curl -s -H "Authorization: Bearer $ADMIN" "${issuer}/api/v1/users"

  # Discovery, and another client
  curl -s "${issuer}/.well-known/openid-configuration"
  make client REALM=${server.realm} NAME=mine SCOPES="${server.env.TOLLGATE_SCOPE}"${url}

  # 401 after a pause: a token falls idle. Start a second instance, with an idle time of 4 seconds, in a third terminal:
  #   make dev CONFIG=examples/short-idle.json PORT=8790 DEV_DIR=.dev-idle
  # Then \`. .dev-idle/demo.env\`, the TOKEN line above, and:
  #   curl -i -H "Authorization: Bearer $TOKEN" "$TOLLGATE_API"; sleep 7; curl -i -H "Authorization: Bearer $TOKEN" "$TOLLGATE_API"

${server.hasNewAdmin ? `The first admin of realm \`${server.realm}\` was made: login ${server.env.TOLLGATE_ADMIN_LOGIN}, password ${server.env.TOLLGATE_ADMIN_PASSWORD}. This is shown once; ${demoFile} has it.

` : ""}Ctrl-C stops it. What is stored stays in ${relative(root, server.folder) || server.folder}; \`make clean\` forgets it.
`;
}

let server;
try {
  server = await startServer({
    port,
    config: process.env.CONFIG || "tollgate.json",
    devDir: process.env.DEV_DIR || ".dev",
    watch: true,
    log: (text) => process.stdout.write(text),
    signal: interrupted.signal,
  });
} catch (error) {
  if (interrupted.signal.aborted) process.exit(130);
  fail(error.message);
}

const file = relative(process.cwd(), server.demoFile);
process.stdout.write(lines(server, file.startsWith("..") ? server.demoFile : file));

const stop = async () => {
  await server.stop();
  process.exit(0); // asked for, so not a failure
};
if (interrupted.signal.aborted) await stop();
interrupted.signal.addEventListener("abort", stop);
const code = await server.ended;
if (!interrupted.signal.aborted) process.exit(code);
