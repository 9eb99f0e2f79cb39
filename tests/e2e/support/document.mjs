// A JSON document of any length, in pieces: what upstreams flood the gate with, and what is left of it where `items.id` is all that is seen.
import { once } from "node:events";

const ITEM = `{"id":123456,"name":"somebody","email":"somebody@example.com","addresses":[{"city":"Graz","zip":"8010"}],"notes":"${"n".repeat(60)}"},`;
const SEEN = '{"id":123456},';
const ITEMS = 400;
const PIECE = Buffer.from(ITEM.repeat(ITEMS));
const START = '{"items":[';
const END = '{"id":0}]}';

/** Writes about so many bytes of it, as fast as they are taken, and keeps none. `told` hears how many have left. */
export async function flood(out, bytes, told = () => {}) {
  let isOver = false;
  out.once("close", () => (isOver = true)).on("error", () => {});
  out.write(START);
  for (let sent = 0; sent < bytes && !isOver; sent += PIECE.length) {
    told(sent);
    if (out.write(PIECE)) continue;
    const waiting = new AbortController();
    await Promise.race([once(out, "drain", waiting), once(out, "close", waiting)]).catch(() => (isOver = true));
    waiting.abort();
  }
  out.end(END);
}

/** How many bytes leave where `bytes` are asked for, and how many of them are seen. */
export function lengths(bytes) {
  const pieces = Math.ceil(bytes / PIECE.length);
  const around = START.length + END.length;
  return { sent: around + pieces * PIECE.length, seen: around + pieces * ITEMS * SEEN.length };
}
