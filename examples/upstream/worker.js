// An API to put behind the gate. State is constant: what is posted is answered, not kept.

const ORDERS = [
  { id: "o-1001", customer: "c-1", status: "shipped", total: { amount: 4250, currency: "EUR" }, lines: [{ sku: "cup-blue", quantity: 2 }] },
  { id: "o-1002", customer: "c-2", status: "open", total: { amount: 1999, currency: "EUR" }, lines: [{ sku: "lamp-desk", quantity: 1 }] },
  { id: "o-1003", customer: "c-1", status: "open", total: { amount: 900, currency: "EUR" }, lines: [{ sku: "cup-white", quantity: 1 }] },
];

const CUSTOMERS = [
  {
    id: "c-1",
    name: "Ada Lovelace",
    email: "ada@example.com",
    addresses: [{ street: "12 St James's Square", city: "London", country: "GB" }],
  },
  {
    id: "c-2",
    name: "Grace Hopper",
    email: "grace@example.com",
    addresses: [{ street: "3801 Nebraska Avenue", city: "Washington", country: "US" }],
  },
];

const LOCATIONS = [
  { id: "l-1", name: "North warehouse", city: "Oslo" },
  { id: "l-2", name: "Harbour store", city: "Hamburg" },
];

const json = (body, status = 200, headers = {}) => Response.json(body, { status, headers });

const one = (rows, id) => {
  const row = rows.find((row) => row.id === id);
  return row ? json(row) : json({ error: "not_found" }, 404);
};

async function createOrder(request) {
  const order = await request.json().catch(() => undefined);
  if (order === null || typeof order !== "object" || Array.isArray(order)) {
    return json({ error: "bad_request", message: "The body must be a JSON object." }, 400);
  }
  return json({ ...order, id: `o-${crypto.randomUUID()}`, status: "open" }, 201);
}

/** What arrived, so that a test can see what the gate let through. */
async function echo(request) {
  const { pathname, search } = new URL(request.url);
  let bytes = 0;
  // Chunk by chunk: a body larger than the isolate's memory must pass, too.
  for await (const chunk of request.body ?? []) bytes += chunk.byteLength;
  return json({
    method: request.method,
    path: pathname,
    query: search,
    headers: Object.fromEntries(request.headers),
    body_bytes: bytes,
  });
}

// Through a pipe, which marks the body as read: `wrangler dev` drains a body that looks unread, and would take it away.
const echoBody = (request) =>
  new Response(request.body?.pipeThrough(new TransformStream()), {
    headers: { "content-type": request.headers.get("content-type") ?? "application/octet-stream" },
  });

// The first pattern that fits a path wins; `*` stands for any method.
const ROUTES = [
  [/^\/orders$/, { GET: () => json(ORDERS), POST: createOrder }],
  [/^\/orders\/([^/]+)$/, { GET: (_request, id) => one(ORDERS, id) }],
  [/^\/customers$/, { GET: () => json(CUSTOMERS) }],
  [/^\/customers\/([^/]+)$/, { GET: (_request, id) => one(CUSTOMERS, id) }],
  [/^\/locations$/, { GET: () => json(LOCATIONS) }],
  [/^\/health$/, { GET: () => json({ status: "ok" }) }],
  [/^\/echo(?:\/.*)?$/, { "*": echo }],
  [/^\/echo-body$/, { POST: echoBody, PUT: echoBody }],
];

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    for (const [pattern, methods] of ROUTES) {
      const match = pattern.exec(pathname);
      if (!match) continue;
      // A HEAD answer is a GET answer whose body the platform drops.
      const method = request.method === "HEAD" ? "GET" : request.method;
      const handler = methods["*"] ?? methods[method];
      if (handler) return handler(request, match[1]);
      return json({ error: "method_not_allowed" }, 405, { allow: Object.keys(methods).join(", ") });
    }
    return json({ error: "not_found" }, 404);
  },
};
