// MCP servers behind the gate, as the SDK's client finds its way to them: discovery, registration, sign-in, tools. People sign in on the real pages.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, request as httpRequest } from "node:http";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { ClientCredentialsProvider, PrivateKeyJwtProvider } from "@modelcontextprotocol/sdk/client/auth-extensions.js";
import { StreamableHTTPError } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { CallToolRequestSchema, ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { decodeJwt, exportJWK, generateKeyPair } from "jose";

import { Application, connect } from "../../examples/mcp/client.mjs";
import orders from "../../examples/mcp/worker.js";
import { node, read, root } from "../../tools/project.mjs";
import { endsWithoutLeaks, startInstance } from "./support/instance.mjs";
import { realmOf } from "./support/issuer.mjs";
import { Person } from "./support/person.mjs";
import { remember, rememberToken } from "./support/secrets.mjs";

// mcp.json names them.
const HERE = "http://127.0.0.1:8827";
const THERE = 8828;
const [MCP, OTHER] = [`${HERE}/mcp`, `${HERE}/other`];
// Of an application on the person's own machine (RFC 8252 section 7.3).
const REDIRECT = "http://127.0.0.1:8829/callback";

const server = await startInstance("mcp", { port: 8827, config: "tests/e2e/mcp.json" });
const realm = realmOf(server, "test");

/** The example server once more, at an address, where everything that arrives is written down. */
const arrived = [];
const elsewhere = createServer(async (request, response) => {
  if (request.url === "/stream") return void (await streamed(request, response));
  const pieces = await request.setEncoding("utf8").toArray();
  arrived.push({ ...request.headers, body: pieces.join("") });
  const body = request.method === "POST" ? pieces.join("") : undefined;
  const answer = await orders.fetch(new Request(`http://127.0.0.1:${THERE}${request.url}`, { method: request.method, headers: request.headers, body }));
  response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
});
await new Promise((resolve, reject) => elsewhere.once("error", reject).listen(THERE, "127.0.0.1", resolve));
after(() => {
  elsewhere.close();
  elsewhere.closeAllConnections();
});

/** A server with sessions, which tells in a stream how far it is, and in another what has changed. */
const sessions = new Map();
async function streamed(request, response) {
  const known = sessions.get(request.headers["mcp-session-id"]);
  if (known) return known.handleRequest(request, response);
  const server = new Server({ name: "stream", version: "1.0.0" }, { capabilities: { tools: { listChanged: true } } });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, { sendNotification }) => {
    for (let progress = 1; progress <= 3; progress += 1) {
      await sendNotification({ method: "notifications/progress", params: { progressToken: params._meta.progressToken, progress } });
      await sleep(STEP);
    }
    await server.sendToolListChanged();
    return { content: [] };
  });
  const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized: (id) => sessions.set(id, transport), onsessionclosed: (id) => sessions.delete(id) });
  await server.connect(transport);
  return transport.handleRequest(request, response);
}
const STEP = 400;

/** The requests of a client, one after the other; and what no one else may see of the answers. */
function recorder() {
  const requests = [];
  const fetch_ = async (url, init) => {
    const response = await fetch(url, init);
    const form = init?.body instanceof URLSearchParams ? Object.fromEntries(init.body) : undefined;
    requests.push({ method: init?.method ?? "GET", path: new URL(url).pathname, status: response.status, challenge: response.headers.get("www-authenticate"), form });
    if (form?.code) remember("a code", form.code);
    if (form?.code_verifier) remember("a code verifier", form.code_verifier);
    if (/\/oauth\/(token|register)$/.test(String(url))) {
      const said = await response.clone().json();
      if (said.access_token) rememberToken(said.access_token);
      for (const name of ["refresh_token", "client_secret", "registration_access_token"]) if (said[name]) remember(name, said[name]);
    }
    return response;
  };
  return { requests, fetch: fetch_, lines: () => requests.map(({ method, path, status }) => `${method} ${path} ${status}`) };
}

/** An application and its person, who allows what they are asked; or answers with `decide`. */
function applicationOf(login, { decide, ...options } = {}) {
  const person = new Person(login);
  const asked = [];
  const visit = (address) => {
    asked.push(address.searchParams);
    return person.visit(address, decide);
  };
  return { asked, application: new Application({ visit, redirectUrl: REDIRECT, ...options }) };
}

const told = ({ content, structuredContent }) => {
  assert.deepEqual(JSON.parse(content[0].text), structuredContent);
  return structuredContent;
};
async function until(condition) {
  for (const end = Date.now() + 10_000; !condition(); await sleep(20)) assert.ok(Date.now() < end, String(condition));
}
const isRefused = (status, text = /./) => (error) => error instanceof StreamableHTTPError && error.code === status && text.test(error.message);

test("discovery, registration, sign-in, tokens, tools: the SDK's client needs nothing else", async () => {
  const user = await realm.user({ roles: [] });
  const { asked, application } = applicationOf(user.login);
  const sent = recorder();
  const { client, call } = await connect(MCP, application, sent);
  // The server has nothing to say by itself: the SDK asks all the same, beside the rest.
  await until(() => sent.lines().includes("GET /mcp 405"));
  const { tools } = await client.listTools();
  assert.deepEqual(tools.map(({ name }) => name), ["list_orders", "cancel_order"]);
  assert.deepEqual(told(await call("list_orders", { status: "open" })).orders.map(({ id }) => id), ["o-1002", "o-1003"]);
  await client.close();

  assert.deepEqual(sent.lines().filter((line) => line !== "GET /mcp 405"), [
    "POST /mcp 401",
    "GET /.well-known/oauth-protected-resource/mcp 200",
    "GET /.well-known/oauth-authorization-server/test 200",
    "POST /test/oauth/register 201",
    "POST /test/oauth/token 200",
    "POST /mcp 200", // initialize
    "POST /mcp 202", // initialized
    "POST /mcp 200",
    "POST /mcp 200",
  ]);
  const metadata = `${HERE}/.well-known/oauth-protected-resource/mcp`;
  assert.equal(sent.requests[0].challenge, `Bearer realm="tollgate", scope="orders:read", resource_metadata="${metadata}"`);
  const [query] = asked;
  assert.deepEqual([query.get("resource"), query.get("scope"), query.get("code_challenge_method")], [MCP, "orders:read", "S256"]);
  assert.equal(sent.requests[4].form.resource, MCP);
  const { access_token, refresh_token, scope } = application.tokens();
  const claims = decodeJwt(access_token);
  assert.deepEqual([claims.aud, claims.scope, claims.sub, claims.client_id], [MCP, "orders:read", user.id, application.clientInformation().client_id]);
  assert.deepEqual([scope, refresh_token], ["orders:read", undefined], "it is not redeemed while the token lives");
});

for (const token_endpoint_auth_method of ["client_secret_basic", "client_secret_post", undefined]) {
  test(`a confidential client, ${token_endpoint_auth_method ?? "by default"}`, async () => {
    const user = await realm.user({ roles: [] });
    const { application } = applicationOf(user.login, { metadata: { token_endpoint_auth_method } });
    const { client, call } = await connect(MCP, application, recorder());
    assert.ok(application.clientInformation().client_secret);
    assert.equal(told(await call("list_orders")).orders.length, 3);
    await client.close();
  });
}

test("a tool with a scope of its own: 403 says which, and the person is asked for more", async () => {
  const user = await realm.user({ roles: [] });
  const { asked, application } = applicationOf(user.login);
  const sent = recorder();
  const { client, call } = await connect(MCP, application, sent);
  await until(() => sent.lines().includes("GET /mcp 405"));
  const from = sent.requests.length;
  const { order, by } = told(await call("cancel_order", { id: "o-1002" }));
  assert.deepEqual([order.status, by], ["cancelled", { subject: user.id, application: application.clientInformation().client_id }]);
  assert.deepEqual(sent.lines().slice(from), ["POST /mcp 403", "POST /test/oauth/token 200", "POST /mcp 200"], "it is registered for that already");
  const metadata = `${HERE}/.well-known/oauth-protected-resource/mcp`;
  assert.equal(sent.requests[from].challenge, `Bearer error="insufficient_scope", scope="orders:read orders:cancel", resource_metadata="${metadata}"`);
  assert.deepEqual(asked.map((query) => query.get("scope")), ["orders:read", "orders:read orders:cancel"]);
  // What the server itself refuses is an answer of its own.
  assert.equal((await call("cancel_order", { id: "o-1001" })).isError, true);
  await client.close();
});

test("an application that always shows the SDK its refresh token gets the same scopes again, and nobody is asked", async () => {
  const user = await realm.user({ roles: [] });
  const { asked, application } = applicationOf(user.login);
  let kept;
  Object.assign(application, { saveTokens: (tokens) => void (kept = tokens), tokens: () => kept });
  const sent = recorder();
  const { client, call } = await connect(MCP, application, sent);
  const from = sent.requests.length;
  await assert.rejects(call("cancel_order", { id: "o-1002" }), isRefused(403, /upscoping/));
  assert.deepEqual(sent.lines().slice(from).filter((line) => line !== "GET /mcp 405"), ["POST /mcp 403", "POST /test/oauth/token 200", "POST /mcp 403"]);
  assert.equal(asked.length, 1);
  await client.close();
});

test("who does not allow it does not get it, and keeps what they have", async () => {
  const user = await realm.user({ roles: [] });
  const decide = ({ "scope:orders:cancel": _, ...fields }) => ({ ...fields, decision: "allow" });
  const { application } = applicationOf(user.login, { decide });
  const { client, call } = await connect(MCP, application, recorder());
  await assert.rejects(call("cancel_order", { id: "o-1002" }), isRefused(403, /upscoping/));
  assert.equal(told(await call("list_orders")).orders.length, 3);
  await client.close();

  const nobody = applicationOf(user.login, { decide: (fields) => ({ ...fields, decision: "deny" }) });
  await assert.rejects(connect(MCP, nobody.application, recorder()), /access_denied/);
});

test("a tool that the route does not list is called by nobody, and what is no plain message reaches no server", async () => {
  const user = await realm.user({ roles: [] });
  const { application } = applicationOf(user.login);
  const { client, call } = await connect(OTHER, application, recorder());
  await call("list_orders");
  const before = arrived.length;
  await assert.rejects(call("cancel_order", { id: "o-1002" }), isRefused(403, /no such tool/));
  const { access_token } = application.tokens();
  const post = (body, headers) =>
    fetch(OTHER, { method: "POST", body, headers: { authorization: `Bearer ${access_token}`, "content-type": "application/json", accept: "application/json, text/event-stream", ...headers } });
  const listed = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"list_orders"}}';
  for (const [body, headers] of [
    [listed.replace('"method"', '"method":"tools/list","method"')],
    [listed.replace('"method"', '"Method":"tools/list","method"')],
    [listed.replace('"name"', '"name":"cancel_order","name"')],
    [listed.replace('"name"', '"NAME":"cancel_order","name"')],
    [`[${listed}]`],
    [`${listed}${listed}`],
    [listed, { "content-type": "text/plain" }],
    [listed, { "content-type": "application/json; charset=utf-16" }],
    [listed, { "content-encoding": "gzip" }],
    [undefined],
  ]) {
    const response = await post(body, headers);
    assert.equal(response.status, 400, `${body} ${JSON.stringify(headers)} ${await response.text()}`);
  }
  assert.equal((await post(listed.replace("}}", `,"x":"${"x".repeat(1024 * 1024)}"}}`))).status, 413);
  const upgraded = httpRequest(OTHER, { headers: { authorization: `Bearer ${access_token}`, connection: "upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": randomBytes(16).toString("base64") } });
  const [answer] = await once(upgraded.end(), "response");
  assert.equal(answer.resume().statusCode, 400, "messages in a web socket would be looked at by nobody");
  assert.equal(arrived.length, before, "nothing got there");

  // What passes arrives byte for byte, however it is written.
  const odd = '{\r\n\t"jsonrpc": "2.0",\n"id":7,\n "method":"tools\\/call","params":{"name":"list\\u005forders","arguments":{"status":"open","\u{1f40e}\\u0000":"\\n=-+*"}}\n}\n';
  const response = await post(odd);
  assert.equal(response.status, 200, await response.clone().text());
  assert.equal((await response.json()).result.structuredContent.orders.length, 2);
  assert.equal(arrived.at(-1).body, odd);
  assert.equal(Number(arrived.at(-1)["content-length"]), Buffer.byteLength(odd));
  await client.close();
});

test("no token gets past the gate; who calls does", async () => {
  const user = await realm.user({ roles: [] });
  const { application } = applicationOf(user.login);
  const { client, call } = await connect(OTHER, application, recorder());
  await call("list_orders");
  await client.close();
  const { access_token } = application.tokens();
  for (const request of arrived) assert.ok(!JSON.stringify(request).includes(access_token.split(".")[2]));
  const { authorization, "x-tollgate-subject": subject, "x-tollgate-client": by, "x-tollgate-scope": scope, "mcp-protocol-version": version } = arrived.findLast(({ body }) => body.includes("list_orders"));
  assert.deepEqual([authorization, subject, by, scope], [undefined, user.id, application.clientInformation().client_id, "orders:read"]);
  assert.match(version, /^20\d\d-/, "headers of the protocol pass");
});

test("a token for another resource is none here, whichever it is", async () => {
  const user = await realm.user({ roles: [] });
  for (const [mine, other] of [[MCP, OTHER], [OTHER, MCP]]) {
    const { application } = applicationOf(user.login);
    const { client } = await connect(mine, application, recorder());
    await client.close();
    const tokens = application.tokens();
    assert.equal(decodeJwt(tokens.access_token).aud, mine);
    // An application that takes it there all the same, and cannot ask anybody.
    const astray = applicationOf(user.login, { registered: application.clientInformation() });
    astray.application.visit = () => assert.fail("nobody is there");
    astray.application.saveTokens(tokens);
    const sent = recorder();
    await assert.rejects(connect(other, astray.application, sent));
    assert.match(sent.requests[0].challenge, /^Bearer error="invalid_token", scope="orders:read", resource_metadata=/);
    assert.equal(sent.requests[0].status, 401);
  }
});

test("when the token has ended the SDK redeems the refresh token, and nobody is asked", async () => {
  const brief = realmOf(server, "brief");
  const user = await brief.user({ roles: [] });
  const { asked, application } = applicationOf(user.login);
  const sent = recorder();
  const { client, call } = await connect(`${HERE}/brief-mcp`, application, sent);
  await call("list_orders");
  const first = application.tokens().access_token;
  // Ten seconds, and five of leeway.
  await sleep(16_000);
  const from = sent.requests.length;
  assert.equal(told(await call("list_orders")).orders.length, 3);
  assert.deepEqual(sent.lines().slice(from), ["POST /brief-mcp 401", "POST /brief/oauth/token 200", "POST /brief-mcp 200"]);
  assert.deepEqual([sent.requests[from + 1].form.grant_type, sent.requests[from + 1].form.resource], ["refresh_token", `${HERE}/brief-mcp`]);
  const next = application.tokens().access_token;
  assert.notEqual(next, first);
  assert.equal(decodeJwt(next).aud, `${HERE}/brief-mcp`);
  assert.equal(asked.length, 1);
  await client.close();
});

test("a server with sessions and streams: what it says arrives when it says it", async () => {
  const user = await realm.user({ roles: [] });
  const { application } = applicationOf(user.login);
  const sent = recorder();
  const { client } = await connect(`${HERE}/stream`, application, sent);
  await until(() => sent.lines().includes("GET /stream 200"));
  const changed = new Promise((resolve) => client.setNotificationHandler(ToolListChangedNotificationSchema, resolve));
  const heard = [];
  await client.callTool({ name: "count" }, undefined, { onprogress: ({ progress }) => heard.push({ progress, at: performance.now() }) });
  assert.deepEqual(heard.map(({ progress }) => progress), [1, 2, 3]);
  assert.ok(heard[2].at - heard[0].at > STEP, "not all at the end");
  await changed;
  assert.equal(sessions.size, 1);
  await client.transport.terminateSession();
  assert.ok(sent.lines().includes("DELETE /stream 200"));
  assert.equal(sessions.size, 0);
  await client.close();
});

test("programs without a person, with a secret and with a key", async () => {
  const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "ES256" }] };
  const client = (more) => realm.client({ grant_types: ["client_credentials"], scope: "orders:read orders:cancel", ...more });
  const [secret, key] = await Promise.all([client(), client({ token_endpoint_auth_method: "private_key_jwt", jwks })]);
  for (const { client_id, provider } of [
    { ...secret, provider: new ClientCredentialsProvider({ clientId: secret.client_id, clientSecret: secret.client_secret, expectedIssuer: realm.issuer }) },
    { ...key, provider: new PrivateKeyJwtProvider({ clientId: key.client_id, privateKey: { ...(await exportJWK(privateKey)), kid: "k" }, algorithm: "ES256", expectedIssuer: realm.issuer }) },
  ]) {
    const sent = recorder();
    const { client, call } = await connect(MCP, provider, sent);
    assert.deepEqual(told(await call("cancel_order", { id: "o-1002" })).by, { subject: client_id, application: client_id });
    assert.equal(sent.requests.find(({ form }) => form).form.resource, MCP);
    await client.close();
  }
});

test("where the realm lets nobody register, a client that is registered by hand gets in, and no other", async () => {
  const closed = realmOf(server, "closed");
  const user = await closed.user({ roles: [] });
  const stranger = applicationOf(user.login);
  const sent = recorder();
  await assert.rejects(connect(`${HERE}/closed-mcp`, stranger.application, sent), /does not support dynamic client registration/);
  const register = await fetch(`${closed.issuer}/oauth/register`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(stranger.application.clientMetadata) });
  assert.equal(register.status, 404);

  const { client_id } = await closed.app({ redirect_uris: ["http://127.0.0.1/callback"], scope: "orders:read" });
  const known = applicationOf(user.login, { registered: { client_id } });
  const { client, call } = await connect(`${HERE}/closed-mcp`, known.application, recorder());
  assert.equal(told(await call("list_orders")).orders.length, 3);
  await client.close();
});

test("a client may not register for what the realm does not let it", async () => {
  const { application } = applicationOf("nobody@example.com", { metadata: { grant_types: ["client_credentials"] } });
  await assert.rejects(connect(MCP, application, recorder()), /grant that clients may not register for/);
});

test("twelve applications of four people at once: each gets its own", async () => {
  const users = await Promise.all([1, 2, 3, 4].map(() => realm.user({ roles: [] })));
  await Promise.all(
    [...users, ...users, ...users].map(async (user) => {
      const { application } = applicationOf(user.login);
      const { client, call } = await connect(MCP, application, recorder());
      const { by } = told(await call("cancel_order", { id: "o-1003" }));
      assert.deepEqual(by, { subject: user.id, application: application.clientInformation().client_id });
      await client.close();
    }),
  );
});

test("the example's program does it, with somebody who opens the address that it prints", async () => {
  const user = await realm.user({ roles: [] });
  const person = new Person(user.login);
  const program = spawn(node(), [join(root, "examples", "mcp", "client.mjs"), MCP], { stdio: ["ignore", "pipe", "inherit"] });
  const visits = [];
  let printed = "";
  program.stdout.setEncoding("utf8").on("data", (text) => {
    printed += text;
    const addresses = [...printed.matchAll(/^Sign in at (\S+)\n/gm)];
    for (const [, address] of addresses.slice(visits.length)) visits.push(person.visit(address).then((back) => fetch(back)));
  });
  const code = await new Promise((resolve) => program.once("close", resolve));
  const answers = await Promise.all(visits);
  assert.deepEqual([code, answers.map(({ status }) => status)], [0, [200, 200]]);
  for (const { url } of answers) remember("a code", new URL(url).searchParams.get("code"));
  const lines = printed.split("\n").filter((line) => !line.startsWith("Sign in at "));
  assert.equal(lines[0], "tools: list_orders, cancel_order");
  assert.equal(JSON.parse(lines[1].replace("list_orders: ", "")).orders.length, 2);
  assert.equal(JSON.parse(lines[2].replace("cancel_order: ", "")).by.subject, user.id);
});

test("what is tried here is the example's configuration, and what docs/mcp.md shows", () => {
  const text = read("examples/mcp/tollgate.json");
  assert.ok(read("docs/mcp.md").includes(`\`\`\`json\n${text}\`\`\`\n`), "docs/mcp.md has examples/mcp/tollgate.json");
  const [shown, tried] = [JSON.parse(text), JSON.parse(read("tests/e2e/mcp.json"))];
  const here = (address) => address.replace(":8787/", ":8827/");
  assert.deepEqual(tried.realms.test, { ...shown.realms.test, issuer: here(shown.realms.test.issuer) });
  assert.deepEqual(tried.scopes, shown.scopes);
  assert.deepEqual(tried.resources[0], { ...shown.resources[0], resource: here(shown.resources[0].resource) });
  // There are several realms here.
  assert.deepEqual(tried.routes[0], { ...shown.routes[0], require: { issuers: ["test"], ...shown.routes[0].require } });
});

endsWithoutLeaks();
