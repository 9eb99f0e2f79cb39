// How long a request waited, for whoever has the secret TOLLGATE_TIMING_TOKEN.
const encoder = new TextEncoder();

/** A shorter one could be guessed. */
const SHORTEST = 32;

/** An object for what is measured, where this is the secret. Digests are compared, and in constant time: how long it takes says nothing of the secret. */
export async function timingsFor(shown, secret) {
  if (typeof secret !== "string" || secret.length < SHORTEST) return undefined;
  const digests = [shown, secret].map((text) => crypto.subtle.digest("SHA-256", encoder.encode(text)));
  return crypto.subtle.timingSafeEqual(...(await Promise.all(digests))) ? {} : undefined;
}

/** The answer, with what was measured: milliseconds. */
export function withTimings(response, timings) {
  // A connection that was taken over is no answer that could be made anew.
  if (response.webSocket) return response;
  const told = new Response(response.body, response);
  const entries = Object.entries(timings).map(([name, milliseconds]) => `${name};dur=${milliseconds}`);
  told.headers.append("server-timing", entries.join(", "));
  return told;
}
