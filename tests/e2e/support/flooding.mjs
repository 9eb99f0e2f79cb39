// A program: an upstream that sends a JSON document of as many bytes as the query's `bytes` says, as fast as they are taken; with `packed` one that
// unpacks to as many (gzip). Prints its port. A process of its own, so that what it takes is nobody else's time.
import { createServer } from "node:http";
import { createGzip } from "node:zlib";

import { flood } from "./document.mjs";

const server = createServer((request, response) => {
  const { searchParams } = new URL(request.url, "http://upstream");
  const bytes = Number(searchParams.get("bytes"));
  const isPacked = searchParams.has("packed");
  response.writeHead(200, { "content-type": "application/json", ...(isPacked && { "content-encoding": "gzip" }) });
  if (!isPacked) return void flood(response, bytes);
  const packing = createGzip();
  packing.pipe(response);
  response.once("close", () => packing.destroy());
  void flood(packing, bytes);
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
