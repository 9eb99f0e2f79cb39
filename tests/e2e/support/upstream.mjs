// An upstream at an address, which counts: what the gate refused must not have got here.
import { createServer } from "node:http";
import { after } from "node:test";

// tollgate.json names it.
const PORT = 8792;

/** Serves until the file is through. */
export async function startUpstream() {
  const requests = [];
  const server = createServer((request, response) => {
    const arrived = { method: request.method, url: request.url, headers: request.headers, body: "" };
    requests.push(arrived);
    request.setEncoding("utf8").on("data", (piece) => (arrived.body += piece));
    request.on("end", () => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ seen: requests.length }));
    });
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(PORT, "127.0.0.1", resolve));
  after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${PORT}`, requests };
}
