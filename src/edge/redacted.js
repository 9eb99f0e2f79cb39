// Answers of which a part is given: the module says which, and what can be told apart only as far as it came (redaction.rs).
import { tellCritical } from "./crossing.js";
import Worker from "./worker.js";

const { redact_begin: redactBegin, redact_more: redactMore, redact_end: redactEnd } = Worker.prototype;

/** What went wrong, for the log. Some messages hold an address, and with it a query. */
export const reasonOf = (error) => String(error?.message).split("http")[0];

/** How many bytes of an answer are looked at before it is given: one that is no JSON by then is a 502, and one that stops being it later is cut off. */
const HELD = 64 * 1024;

/** How many bytes are read at once at most. A reader that brings no room gets 4 KiB at a time, in room of their own each. */
const PIECE = 64 * 1024;

/** What comes back of a piece may be longer by the name of a member, which came before (`MOST_MORE` in `src/redact/filter.rs`). */
const ROOM = PIECE + 9 * 1024;

/** Counts the answers that are redacted, and counts on when the module starts anew. */
let redactions = 0;

/** Headers that are about the bytes that came, or about keeping them: what is given are others (RFC 9110 sections 8 and 14, RFC 9111, RFC 9530). */
const OF_BYTES = [
  "accept-ranges",
  "content-digest",
  "content-encoding",
  "content-length",
  "content-md5",
  "content-range",
  "digest",
  "edge-control",
  "etag",
  "expires",
  "last-modified",
  "pragma",
  "repr-digest",
  "surrogate-control",
  "trailer",
];
const JSON_TYPE = /^\s*application\/([\w.+-]+\+)?json\s*(;|$)/i;
const OTHER_CHARSET = /;\s*charset\s*=(?!\s*"?utf-8"?\s*(;|$))/i;
const CODINGS = ["", "identity", "gzip", "br"];

/** The headers of an answer of which a part is given: to whom it is given, and to nobody else. */
function headersOfPart(response) {
  const headers = new Headers(response.headers);
  for (const name of OF_BYTES) headers.delete(name);
  // Who sees what of it is nothing that a cache could know, and roles change.
  for (const name of [...headers.keys()]) if (name.endsWith("cdn-cache-control")) headers.delete(name);
  headers.set("cache-control", "private, no-store");
  headers.append("vary", "Authorization");
  return headers;
}

/** What one answer gives, piece by piece: only what may be seen. It has one room, for what comes and for what is given of it. */
class Seen {
  #number = (redactions = (redactions + 1) >>> 0);
  #room = new ArrayBuffer(ROOM);
  #reader;
  isEnded = false;

  constructor(body, paths) {
    this.#reader = body.getReader({ mode: "byob" });
    redactBegin(this.#number, paths);
  }

  /** The next piece, of at most so many bytes as they come; nothing, where that was all. It counts until the next one is asked for. */
  async next(most = PIECE) {
    // The room goes to the stream, and comes back with what was read.
    const { value, done } = await this.#reader.read(new Uint8Array(this.#room, 0, most));
    if (!done) {
      this.#room = value.buffer;
      const room = new Uint8Array(this.#room);
      return { read: value.byteLength, piece: room.subarray(0, redactMore(this.#number, value, room)) };
    }
    this.isEnded = true;
    redactEnd(this.#number, true);
    return undefined;
  }

  /** Nobody wants the rest. After a trap nothing is asked of the module. */
  async stop(reason) {
    if (this.isEnded) return;
    this.isEnded = true;
    try {
      if (!(reason instanceof WebAssembly.RuntimeError)) redactEnd(this.#number, false);
    } finally {
      await this.#reader.cancel(reason);
    }
  }
}

/** The upstream's answer, as far as it may be seen. What cannot be told apart is not given at all. */
export async function redacted(response, paths, timeout, refuse) {
  const { status, statusText } = response;
  const headers = headersOfPart(response);
  const coding = (response.headers.get("content-encoding") ?? "").trim().toLowerCase();
  const unfit = async (why) => {
    await response.body?.cancel().catch(() => {});
    return refuse(why);
  };
  if (response.webSocket || status === 206) return unfit("an answer that is redacted is whole");
  // An answer without a body shows nothing.
  if (response.body === null) return new Response(null, { status, statusText, headers });
  const type = response.headers.get("content-type") ?? "";
  if (!JSON_TYPE.test(type) || OTHER_CHARSET.test(type)) return unfit("an answer that is redacted is JSON");
  if (!CODINGS.includes(coding)) return unfit("an answer that is redacted has a content coding that can be read");
  const seen = new Seen(response.body, paths);
  // What comes back of so many bytes.
  const kept = new Uint8Array(HELD + (ROOM - PIECE));
  let [read, length, isLate] = [0, 0, false];
  const stop = () => {
    isLate = true;
    seen.stop(new Error("it takes too long")).catch(() => {});
  };
  const late = timeout === 0 ? undefined : setTimeout(stop, timeout);
  try {
    while (read < HELD && !seen.isEnded) {
      const next = await seen.next(HELD - read);
      if (next === undefined) break;
      read += next.read;
      kept.set(next.piece, length);
      length += next.piece.byteLength;
    }
    if (isLate) return refuse("an answer that is redacted: it takes too long", true);
  } catch (error) {
    await seen.stop(error).catch(() => {});
    if (error instanceof WebAssembly.RuntimeError) throw error;
    // Nothing shows nothing.
    if (read === 0 && error?.message === "json_incomplete" && !isLate) return new Response(null, { status, statusText, headers });
    return refuse(`an answer that is redacted: ${reasonOf(error)}`, isLate);
  } finally {
    clearTimeout(late);
  }
  const first = kept.subarray(0, length);
  if (seen.isEnded) return new Response(first, { status, statusText, headers });
  const { readable, writable } = new IdentityTransformStream();
  void give(seen, first, writable.getWriter(), refuse);
  return new Response(readable, { status, statusText, headers });
}

/** Gives what may be seen, as fast as it is taken: a piece has gone before the next one is read into its room. */
async function give(seen, first, writer, refuse) {
  let isRead = true;
  const taken = (promise) =>
    promise.catch((reason) => {
      isRead = false;
      throw reason;
    });
  try {
    if (first.byteLength > 0) await taken(writer.write(first));
    // As long as an answer lasts, it has one room.
    first = undefined;
    for (let next; (next = await seen.next()) !== undefined; ) {
      if (next.piece.byteLength > 0) await taken(writer.write(next.piece));
    }
    await taken(writer.close());
  } catch (error) {
    // It is cut off: whoever reads it sees that something is missing.
    writer.abort(error).catch(() => {});
    seen.stop(error).catch(() => {});
    if (error instanceof WebAssembly.RuntimeError) tellCritical(error);
    // That nobody wants the rest is nothing to tell anybody.
    else if (isRead) refuse(`an answer that is redacted: ${reasonOf(error)}`);
  }
}
