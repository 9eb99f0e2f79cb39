// An upstream at an address, which counts: what the gate refused must not have got here.
import { createServer } from "node:http";
import { after } from "node:test";

import { accepted, frame, unframe } from "./socket.mjs";

// tollgate.json names it.
const PORT = 8792;

/** Serves until the file is through. */
export async function startUpstream() {
  const requests = [];
  const pages = new Map();
  const server = createServer((request, response) => {
    const arrived = { method: request.method, url: request.url, headers: request.headers, body: "" };
    requests.push(arrived);
    request.setEncoding("utf8").on("data", (piece) => (arrived.body += piece));
    request.on("end", () => {
      const page = pages.get(request.url);
      if (page) return void page(response);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ seen: requests.length }));
    });
  });
  // Who asks for a web socket gets one that says again what it is told.
  server.on("upgrade", (request, socket) => {
    requests.push({ method: request.method, url: request.url, headers: request.headers, body: "" });
    socket.write(accepted(request.headers["sec-websocket-key"]));
    socket.on("error", () => {}).on("data", (bytes) => socket.write(frame(`again: ${unframe(bytes)}`)));
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(PORT, "127.0.0.1", resolve));
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${PORT}`,
    requests,
    /** `page` answers what asks for `path`: a function of the response. */
    serve: (path, page) => pages.set(path, page),
  };
}
