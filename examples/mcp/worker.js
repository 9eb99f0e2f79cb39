// An MCP server to put behind the gate: streamable HTTP without sessions, answers in JSON. It has no code for authorization: whoever gets
// here has been let in, with the scopes of the tool that they call. State is constant: what is cancelled is answered, not kept.
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import { CallToolRequestSchema, ErrorCode, ListToolsRequestSchema, McpError } from "@modelcontextprotocol/sdk/types.js";

const ORDERS = [
  { id: "o-1001", customer: "c-1", status: "shipped" },
  { id: "o-1002", customer: "c-2", status: "open" },
  { id: "o-1003", customer: "c-1", status: "open" },
];

/** Who calls: the gate says so in headers that no caller can send past it. */
const caller = (headers) => ({
  subject: decodeURIComponent(headers["x-tollgate-subject"]),
  application: decodeURIComponent(headers["x-tollgate-client"]),
});

const TOOLS = {
  list_orders: {
    description: "Lists orders, all of them or those with one status.",
    inputSchema: { type: "object", properties: { status: { type: "string", enum: ["open", "shipped"] } } },
    annotations: { readOnlyHint: true },
    call: ({ status }) => ({ orders: ORDERS.filter((order) => status === undefined || order.status === status) }),
  },
  cancel_order: {
    description: "Cancels an order that is still open.",
    inputSchema: { type: "object", properties: { id: { type: "string" } }, required: ["id"] },
    annotations: { destructiveHint: true },
    call({ id }, by) {
      const order = ORDERS.find((order) => order.id === id && order.status === "open");
      if (!order) throw new Error("There is no open order with this id.");
      return { order: { ...order, status: "cancelled" }, by };
    },
  },
};

function server() {
  const server = new Server({ name: "orders", version: "1.0.0" }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: Object.entries(TOOLS).map(([name, { call: _, ...tool }]) => ({ name, ...tool })),
  }));
  server.setRequestHandler(CallToolRequestSchema, ({ params: { name, arguments: given = {} } }, { requestInfo }) => {
    if (!Object.hasOwn(TOOLS, name)) throw new McpError(ErrorCode.InvalidParams, "There is no such tool.");
    try {
      const result = TOOLS[name].call(given, caller(requestInfo.headers));
      return { content: [{ type: "text", text: JSON.stringify(result) }], structuredContent: result };
    } catch (error) {
      return { content: [{ type: "text", text: error.message }], isError: true };
    }
  });
  return server;
}

export default {
  async fetch(request) {
    // Without sessions there is nothing to listen to and nothing to end.
    if (request.method !== "POST") return new Response(null, { status: 405, headers: { allow: "POST" } });
    const transport = new WebStandardStreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
    await server().connect(transport);
    return transport.handleRequest(request);
  },
};
