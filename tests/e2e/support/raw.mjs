// HTTP as bytes on a socket: for what client libraries refuse to send, or put right on the way.
import { connect } from "node:net";

import { PORT } from "./instance.mjs";

/** Sends one request and reads the whole answer. `headers` are lines. */
export function raw(target, { method = "GET", host = `127.0.0.1:${PORT}`, headers = [], body = "" } = {}) {
  const lines = [`${method} ${target} HTTP/1.1`, `Host: ${host}`, ...headers];
  if (!headers.some((line) => /^connection:/i.test(line))) lines.push("Connection: close");
  return new Promise((resolve, reject) => {
    const socket = connect(PORT, "127.0.0.1", () => socket.write(Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`)));
    const pieces = [];
    socket.setTimeout(10_000, () => socket.destroy(new Error(`no answer to ${method} ${target}`)));
    socket.on("data", (piece) => {
      pieces.push(piece);
      // A connection that the answer does not close is done when the body is there.
      const answer = parse(Buffer.concat(pieces).toString("latin1"));
      if (answer?.whole) socket.end();
    });
    socket.once("error", reject);
    socket.once("close", () => {
      const answer = parse(Buffer.concat(pieces).toString("latin1"));
      if (answer) resolve(answer);
      else reject(new Error(`no HTTP answer to ${method} ${target}`));
    });
  });
}

function parse(text) {
  const end = text.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [first, ...lines] = text.slice(0, end).split("\r\n");
  const headers = new Headers(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]));
  const body = text.slice(end + 4);
  return { status: Number(first.split(" ")[1]), headers, text: body, whole: body.length >= Number(headers.get("content-length") ?? Infinity) };
}
