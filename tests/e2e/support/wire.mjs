// HTTP/1.1 as bytes, from both ends: a caller that sends whatever it likes, and an upstream that keeps exactly what it got.
import { createServer, connect } from "node:net";

import { listening } from "./plain.mjs";

const END = "\r\n\r\n";

/** The fields of a head as pairs, as they stand there; `undefined` where a line is no field. */
function fieldsOf(lines) {
  const fields = lines.map((line) => /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*$/s.exec(line)?.slice(1));
  return fields.includes(undefined) ? undefined : fields;
}

const valueOf = (fields, wanted) => fields.find(([name]) => name.toLowerCase() === wanted)?.[1];

/** What a chunked body says, and where it ends; `undefined` where more is to come, `null` where it is none. */
function chunked(text, from) {
  let [at, body] = [from, ""];
  for (;;) {
    const end = text.indexOf("\r\n", at);
    if (end < 0) return undefined;
    const size = /^[0-9a-f]+$/i.test(text.slice(at, end)) ? Number.parseInt(text.slice(at, end), 16) : NaN;
    if (Number.isNaN(size)) return null;
    at = end + 2 + size + 2;
    if (text.length < at) return undefined;
    if (text.slice(at - 2, at) !== "\r\n") return null;
    body += text.slice(end + 2, at - 2);
    if (size === 0) return { body, end: at };
  }
}

/** The first message of `text`: `{ first, fields, body, end }`; `undefined` where more is to come, `null` where it is none. */
function message(text, { hasBody, endsWithConnection = false }) {
  const end = text.indexOf(END);
  if (end < 0) return undefined;
  const [first, ...lines] = text.slice(0, end).split("\r\n");
  const fields = fieldsOf(lines);
  if (!fields) return null;
  const at = end + END.length;
  const head = { first, fields, text: text.slice(0, end) };
  if (!hasBody(first)) return { ...head, body: "", end: at };
  if (/^chunked$/i.test(valueOf(fields, "transfer-encoding") ?? "")) {
    const read = chunked(text, at);
    return read && { ...head, ...read };
  }
  const length = valueOf(fields, "content-length");
  if (length === undefined) return endsWithConnection ? { ...head, body: text.slice(at), end: Infinity } : { ...head, body: "", end: at };
  const last = at + Number(length);
  return text.length < last ? undefined : { ...head, body: text.slice(at, last), end: last };
}

function requestOf({ first, fields, text }, body) {
  const [method, target, version] = first.split(" ");
  return { method, target, version, fields, body, text };
}

/**
 * An upstream that keeps every message as it came: `requests` with `{ method, target, version, fields, body, text }`, and in `odd` what was none. It answers 200
 * and names the mark of what it answers, unless `serve` said otherwise of its path: a function of the socket and the request. With `early` it is asked
 * when the head is there, whatever becomes of the body.
 */
export async function startWireUpstream() {
  const [requests, odd, pages, hasty, sockets] = [[], [], new Map(), new Map(), new Set()];
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true).once("close", () => sockets.delete(socket));
    let [text, isAnswered] = ["", false];
    socket.on("error", () => {}).on("data", (piece) => {
      text += piece.toString("latin1");
      for (;;) {
        const head = isAnswered ? undefined : message(text, { hasBody: () => false });
        const page = head && hasty.get(head.first.split(" ")[1].split("?")[0]);
        if (page) {
          isAnswered = true;
          page(socket, { method: head.first.split(" ")[0], fields: head.fields });
        }
        const read = message(text, { hasBody: () => true });
        if (read === undefined) return;
        if (read === null) {
          odd.push(text);
          return void socket.destroy();
        }
        text = text.slice(read.end);
        const request = requestOf(read, read.body);
        requests.push(request);
        const answering = isAnswered ? () => {} : pages.get(request.target.split("?")[0]);
        isAnswered = false;
        if (answering) answering(socket, request);
        else socket.write(answer(request));
      }
    });
    // A body that its sender broke off has a head all the same.
    socket.once("end", () => {
      const head = message(text, { hasBody: () => false });
      if (head) requests.push(requestOf(head, text.slice(head.end)));
      else if (text !== "") odd.push(text);
    });
  });
  const port = await listening(server);
  server.closeAllConnections = () => sockets.forEach((socket) => socket.destroy());
  return {
    port,
    requests,
    odd,
    serve: (path, page) => pages.set(path, page),
    early: (path, page) => hasty.set(path, page),
  };
}

/** 200 with a body that says whom it is for. */
export function answer({ method, fields }, { body = "", more = "" } = {}) {
  const mark = valueOf(fields, "x-mark") ?? "";
  const said = body || JSON.stringify({ mark });
  const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Seen: ${mark}\r\n${more}Content-Length: ${said.length}\r\n\r\n`;
  return method === "HEAD" ? head : `${head}${said}`;
}

/**
 * Sends `bytes` on one connection and reads the answers until it is closed, or `count` are there, or nothing comes for `patience` ms. `methods` are
 * those of the requests, in order: an answer to HEAD has no body.
 */
export function talk(port, bytes, { methods, count = methods.length, patience = 3000, half = false }) {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    let [text, isQuiet] = ["", false];
    const answers = [];
    const read = (isOver) => {
      while (text !== "") {
        const isHead = methods[answers.length] === "HEAD";
        const hasBody = (first) => !isHead && !/^HTTP\/1\.1 (1..|204|304) /.test(first);
        const found = message(text, { hasBody, endsWithConnection: isOver });
        if (!found) return;
        text = found.end === Infinity ? "" : text.slice(found.end);
        const status = Number(found.first.split(" ")[1]);
        answers.push({ status, fields: found.fields, body: found.body, seen: valueOf(found.fields, "x-seen") });
        if (answers.length >= count) socket.end();
      }
    };
    socket.setNoDelay(true).setTimeout(patience, () => {
      isQuiet = true;
      socket.destroy();
    });
    socket.on("data", (piece) => {
      text += piece.toString("latin1");
      read(false);
    });
    socket.once("end", () => socket.end());
    socket.once("error", (error) => (["ECONNRESET", "EPIPE"].includes(error.code) ? undefined : reject(error)));
    socket.once("close", () => {
      read(true);
      resolve({ answers, rest: text, isQuiet });
    });
    socket.write(Buffer.from(bytes, "latin1"));
    if (half) socket.end();
  });
}
