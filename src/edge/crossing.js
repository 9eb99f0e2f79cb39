// The ways between JavaScript and the module that cost least.
const encoder = new TextEncoder();
const SCRATCH = new Uint8Array(16_384);

/**
 * A text as UTF-8, to be handed to the module before the next text is asked for. What wasm-bindgen does with a text
 * is a loop over its characters, which takes six times as long.
 */
export function bytesOf(text) {
  // Three bytes are the most that a character takes.
  if (text.length * 3 > SCRATCH.length) return encoder.encode(text);
  return SCRATCH.subarray(0, encoder.encodeInto(text, SCRATCH).written);
}

/** Tells of something that should never go wrong. After a trap the module's memory cannot be trusted: the next request begins with another one. */
export function tellCritical(error) {
  if (error instanceof WebAssembly.RuntimeError) globalThis.__worker_init_state.criticalError = true;
  console.error("Critical", error);
}

let last = 0;

/**
 * The value of the work that `start` begins under the number that it is given, in turns (turns.rs): a promise that the
 * module waits for is waited for here. `resume` is the module's own.
 */
export async function inTurns(resume, start) {
  const number = (last = (last + 1) >>> 0);
  let turn = start(number);
  // What a Durable Object is asked for is a promise, and of another class.
  while (typeof turn?.then === "function") {
    let value;
    let isFulfilled = true;
    try {
      value = await turn;
    } catch (error) {
      [value, isFulfilled] = [error, false];
    }
    turn = resume(number, isFulfilled, value);
  }
  // Where it waits for anything else, an array holds the promise of its value.
  return Array.isArray(turn) ? turn[0] : turn;
}
