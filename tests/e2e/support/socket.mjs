// Web sockets (RFC 6455) as bytes: one short text in one frame, which is all that a test says.
import { createHash, randomBytes } from "node:crypto";

const TEXT = 0x81; // the last frame of a text, which is the first
const MASKED = 0x80;

/** The answer that opens a socket. */
export function accepted(key) {
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

const masked = (bytes, mask) => bytes.map((byte, at) => byte ^ mask[at % 4]);

/** A client masks what it says. */
export function frame(text, { isClient = false } = {}) {
  const bytes = Buffer.from(text);
  if (!isClient) return Buffer.concat([Buffer.of(TEXT, bytes.length), bytes]);
  const mask = randomBytes(4);
  return Buffer.concat([Buffer.of(TEXT, MASKED | bytes.length), mask, masked(bytes, mask)]);
}

/** The text of a frame, or what kind of frame it is. */
export function unframe(bytes) {
  if (bytes[0] !== TEXT) return `frame ${bytes[0]}`;
  const length = bytes[1] & ~MASKED;
  const isMasked = (bytes[1] & MASKED) !== 0;
  const from = isMasked ? 6 : 2;
  const said = bytes.subarray(from, from + length);
  return (isMasked ? masked(said, bytes.subarray(2, 6)) : said).toString();
}
