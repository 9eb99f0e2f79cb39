// An application that uses an MCP server: the SDK's client, and what it needs of its application to sign somebody in. As a program it says where
// to sign in, lists the tools and calls them: node examples/mcp/client.mjs http://127.0.0.1:8787/mcp
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

import { UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

/** What the SDK asks of an application (`OAuthClientProvider`). It keeps in memory what it is given. */
export class Application {
  #kept = {};
  #until = 0;

  /**
   * `visit` sends the person to an address and resolves with where they came back to, at `redirectUrl`. `registered`: a client that is registered
   * already. `metadata`: what the client says of itself when it registers, besides what stands here.
   */
  constructor({ visit, redirectUrl, registered, metadata }) {
    this.visit = visit;
    this.redirectUrl = redirectUrl;
    this.clientMetadata = {
      client_name: "Example application",
      redirect_uris: [redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      token_endpoint_auth_method: "none",
      ...metadata,
    };
    this.#kept.client = registered;
  }

  clientInformation = () => this.#kept.client;
  saveClientInformation = (client) => void (this.#kept.client = client);
  codeVerifier = () => this.#kept.verifier;
  saveCodeVerifier = (verifier) => void (this.#kept.verifier = verifier);
  discoveryState = () => this.#kept.discovery;
  saveDiscoveryState = (discovery) => void (this.#kept.discovery = discovery);
  state = () => (this.#kept.state = randomUUID());
  redirectToAuthorization = (address) => void (this.#kept.visit = this.visit(address));

  saveTokens(tokens) {
    this.#until = Date.now() + tokens.expires_in * 1000;
    this.#kept.tokens = tokens;
  }

  /** Where a token lives and is not enough, somebody has to be asked for more. The SDK would redeem the refresh token, which gives the same again. */
  tokens() {
    if (!this.#kept.tokens || Date.now() >= this.#until) return this.#kept.tokens;
    const { refresh_token: _, ...others } = this.#kept.tokens;
    return others;
  }

  invalidateCredentials(scope) {
    for (const name of scope === "all" ? Object.keys(this.#kept) : [scope]) delete this.#kept[name];
  }

  /** The code that the person came back with: of our own request (RFC 6749 section 10.12), and of the server that it went to (RFC 9207). */
  async code() {
    const said = new URL(await this.#kept.visit).searchParams;
    const { issuer } = this.#kept.discovery.authorizationServerMetadata;
    if (said.get("state") !== this.#kept.state || said.get("iss") !== issuer) throw new Error("This is no answer to what was asked.");
    if (said.has("error")) throw new Error(`${said.get("error")}: ${said.get("error_description")}`);
    return said.get("code");
  }
}

/** Does something. Where somebody has to sign in for it, or to allow more, it is done again after that. */
async function signedIn(transport, application, act, again = act) {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof UnauthorizedError)) throw error;
  }
  await transport.finishAuth(await application.code());
  return again();
}

/** Connects to the server at `url`. `fetch`: by which requests go out, if not the usual one. */
export async function connect(url, application, { fetch } = {}) {
  const client = new Client({ name: "example", version: "1.0.0" });
  const open = () => new StreamableHTTPClientTransport(new URL(url), { authProvider: application, fetch });
  // A transport is started once.
  let transport = open();
  await signedIn(transport, application, () => client.connect(transport), () => client.connect((transport = open())));
  return {
    client,
    /** Calls a tool. */
    call: (name, given = {}) => signedIn(transport, application, () => client.callTool({ name, arguments: given })),
  };
}

async function main(url) {
  let back;
  const pages = createServer((request, response) => {
    const address = new URL(request.url, `http://${request.headers.host}`);
    response.writeHead(address.pathname === "/callback" ? 200 : 404).end("You can close this page.\n");
    if (address.pathname === "/callback") back(address);
  });
  await new Promise((resolve) => pages.listen(0, "127.0.0.1", resolve));
  const visit = (address) => {
    console.log(`Sign in at ${address}`);
    return new Promise((resolve) => (back = resolve));
  };
  const application = new Application({ visit, redirectUrl: `http://127.0.0.1:${pages.address().port}/callback` });
  const { client, call } = await connect(url, application);
  const { tools } = await client.listTools();
  console.log(`tools: ${tools.map(({ name }) => name).join(", ")}`);
  for (const [name, given] of [["list_orders", { status: "open" }], ["cancel_order", { id: "o-1002" }]]) {
    console.log(`${name}: ${(await call(name, given)).content[0].text}`);
  }
  await client.close();
  pages.close();
  pages.closeAllConnections();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) await main(process.argv[2] ?? "http://127.0.0.1:8787/mcp");
