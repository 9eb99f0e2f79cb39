// Registers clients through the worker's own endpoint, as any operator would.

/** A client to register, or a sentence that says why there is none. */
export async function registerClient({ url, realm, token, name, scope, grants }) {
  const endpoint = `${url}/${encodeURIComponent(realm)}/api/v1/clients`;
  let response;
  try {
    response = await fetch(endpoint, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ client_name: name, scope, grant_types: grants }),
    });
  } catch (error) {
    throw new Error(`No answer from ${url} (${error.cause?.code ?? error.message}). Is it running? \`make dev\` starts it.`);
  }
  const body = await response.json().catch(() => ({}));
  if (response.status === 201) return body;
  const reason = body.error_description ?? body.message ?? body.error ?? "no reason given";
  if (response.status === 401) {
    throw new Error(`${endpoint} refused the bootstrap token (401: ${reason}). It must be the worker's TOLLGATE_BOOTSTRAP_TOKEN.`);
  }
  if (response.status === 404) throw new Error(`${endpoint} does not exist (404): is \`${realm}\` a realm of the running configuration?`);
  throw new Error(`${endpoint} answered ${response.status}: ${reason}`);
}

/** Whether the issuer still knows this client: false only when it says so. */
export async function knowsClient({ issuer, id, secret }) {
  // RFC 6749, section 2.3.1: both are form-encoded before they are joined.
  const form = (text) => new URLSearchParams({ x: text }).toString().slice(2);
  const basic = Buffer.from(`${form(id)}:${form(secret)}`).toString("base64");
  const response = await fetch(`${issuer}/oauth/token`, {
    method: "POST",
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: "client_credentials" }),
  });
  await response.arrayBuffer();
  return response.status !== 401;
}
