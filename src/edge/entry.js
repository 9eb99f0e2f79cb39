// The worker's entry: the only thing that is reachable from outside, by HTTP or by RPC.
//
// A request is shown to the WebAssembly module in one synchronous call. Where memory is enough, that call answers;
// otherwise the module is asked again and may take its time. Both answer alike: a response, or how the request goes on.
// What the module exports stays behind this file: an entry point of the module's own would make each export a method
// that any worker with a service binding could call.
import { DurableObject, env as bindings } from "cloudflare:workers";

import { journalOf } from "./analytics.js";
import { configuration, managedFrom } from "./configuration.js";
import { bytesOf, inTurns, tellCritical } from "./crossing.js";
import { reasonOf, redacted } from "./redacted.js";
import { timingsFor, withTimings } from "./timing.js";
import Worker, { DirectoryDo as Directory, KeyringDo as Keyring, PrincipalDo as Principal } from "./worker.js";

// The module reads it at its first request, and again should the platform make another instance of it.
globalThis.tollgateConfiguration = configuration;
// Where there is no data set the module writes its log by itself.
if (bindings.TOLLGATE_ANALYTICS !== undefined) globalThis.tollgateJournal = journalOf(bindings.TOLLGATE_ANALYTICS);

/** How long what KV says is believed, in milliseconds. With the platform's own 60 seconds, a document counts everywhere after 90. */
const BELIEVED = 30_000;

/** When to look again which configuration counts: never, where none is put while the deployment runs. */
let lookAt = managedFrom === null ? Infinity : 0;

/** Looks which configuration counts. */
async function look(env) {
  const put = await env.TOLLGATE_KV.get(`config:${managedFrom}`);
  lookAt = Date.now() + BELIEVED;
  // What was put here just now may be newer than what KV says: the module knows.
  if (put !== null) configure(put);
}

/**
 * What has to be waited for before anything is decided; nothing, where the configuration is known and was looked for not long ago. Whoever waits looks by
 * itself: none waits for another's. Where nothing is known yet, what fails is refused; where something is, that goes on to count.
 */
function looked(env, context) {
  const now = Date.now();
  if (now < lookAt) return undefined;
  if (lookAt === 0) return look(env);
  const isOld = now >= lookAt + BELIEVED;
  // The others need not look as well, unless they have to wait.
  if (!isOld) lookAt = now + BELIEVED;
  const looking = look(env).catch((error) => {
    lookAt = Date.now() + BELIEVED;
    console.error("configuration", String(error?.message));
  });
  if (isOld) return looking;
  context.waitUntil(looking);
  return undefined;
}

/** A Durable Object: what its binding may call is one method, with a question and an answer as text. */
const objectOf = (Rules) =>
  class extends DurableObject {
    #rules;

    constructor(state, env) {
      super(state, env);
      this.#rules = new Rules(state, env);
    }

    ask(question) {
      const looking = looked(this.env, this.ctx);
      return looking === undefined ? this.#rules.ask(question) : looking.then(() => this.#rules.ask(question));
    }

    async alarm() {
      try {
        await looked(this.env, this.ctx);
      } catch (error) {
        // The platform tries a few times only; what is owed is owed until it is done.
        console.error("configuration", String(error?.message));
        const at = Date.now() + BELIEVED;
        const next = await this.ctx.storage.getAlarm();
        if (next === null || next > at) await this.ctx.storage.setAlarm(at);
        return undefined;
      }
      return this.#rules.alarm();
    }
  };

export const DirectoryDo = objectOf(Directory);
export const KeyringDo = objectOf(Keyring);
export const PrincipalDo = objectOf(Principal);

const { configure, decide_now: decideNow, decide, resume, not_forwarded: notForwarded } = Worker.prototype;

const OTHER_BYTES = /[^\x20-\x7e]/;

/** Cookies of tollgate's own pages open what their person may do here: no upstream gets one, or sets one. */
const OURS = "__Host-tollgate";
const OUR_COOKIES = /(^|[;,])\s*__Host-tollgate[^;,]*/g;

/**
 * What the module is shown of a request; its headers, as an object, or nothing where a value has bytes that are no text; and what somebody shows who wants to
 * know how long it waits.
 */
function headOf(request) {
  let credentials = "";
  let connection = "";
  let origin = "";
  let timing;
  let names = "";
  let headers = Object.create(null);
  request.headers.forEach((value, name) => {
    if (name === "authorization") credentials = `=${value}`;
    else if (name === "connection") connection = value;
    else if (name === "origin") origin = value;
    else if (name === "tollgate-timing") timing = value;
    names += `\n${name}`;
    if (OTHER_BYTES.test(value)) headers = undefined;
    else if (headers !== undefined) headers[name] = value;
  });
  return [`${request.method}\n${request.url}\n${credentials}\n${connection}\n${origin}${names}`, headers, timing];
}

/** The headers with these changes. An object costs less than a copy of the platform's: that is one more to collect. */
function changed(request, headers, changes) {
  const copy = headers ?? new Headers(request.headers);
  for (const change of changes) {
    const at = change.indexOf(" ");
    const [name, value] = change[0] === "-" ? [change.slice(1)] : [change.slice(1, at), change.slice(at + 1)];
    if (headers === undefined) value === undefined ? copy.delete(name) : copy.set(name, value);
    else if (value === undefined) delete copy[name];
    else copy[name] = value;
  }
  const cookies = headers === undefined ? copy.get("cookie") : copy.cookie;
  if (cookies?.includes(OURS)) {
    const others = cookies.replace(OUR_COOKIES, "").replace(/^[;,\s]+/, "");
    if (headers !== undefined) others === "" ? delete copy.cookie : (copy.cookie = others);
    else others === "" ? copy.delete("cookie") : copy.set("cookie", others);
  }
  return copy;
}

/** The upstream's answer, without cookies that would be ours. */
function answered(response) {
  // Whoever stands in front would take the connection for a socket, and what is said on it for nothing of its business.
  if (response.status === 101 && !response.webSocket) throw new Error("another protocol that nobody asked for");
  if (!response.headers.get("set-cookie")?.includes(OURS)) return response;
  const headers = new Headers(response.headers);
  headers.delete("set-cookie");
  for (const cookie of response.headers.getSetCookie()) {
    if (!cookie.trimStart().startsWith(OURS)) headers.append("set-cookie", cookie);
  }
  const { status, statusText, webSocket } = response;
  return new Response(response.body, { status, statusText, webSocket, headers });
}

/** The request at its new address. `body`: one that was read, which is not there any more. `cf` says where the caller is, and how it came: for a worker behind a binding. */
function asItCame(request, url, body) {
  if (body !== undefined) return new Request(url, { method: request.method, body, cf: request.cf });
  return url === request.url ? request : new Request(url, request);
}

/** An answer of the module's own: `!` and the status, a line for each header, an empty line, and the body. */
function answerOf(lines) {
  const end = lines.indexOf("\n\n");
  const [status, ...rest] = lines.slice(1, end).split("\n");
  // Pairs: a name may come more than once.
  const headers = rest.map((line) => {
    const at = line.indexOf(" ");
    return [line.slice(0, at), line.slice(at + 1)];
  });
  const body = lines.slice(end + 2);
  return new Response(body === "" ? null : body, { status: Number(status), headers });
}

/** What may be sent twice (RFC 9110 section 9.2.1), and has no body that is used up. */
const SAFE = ["GET", "HEAD", "OPTIONS"];

/** Asks an upstream: whoever stands behind a binding, or at the address. `timeout` is until the answer begins, in milliseconds; 0: none. */
async function asked(env, binding, onward, init, timeout) {
  const ask = (init) => (binding === "" ? fetch(onward, init) : env[binding].fetch(onward, init));
  if (timeout === 0) return ask(init);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new DOMException("it takes too long", "TimeoutError")), timeout);
  try {
    return await ask({ ...init, signal: late.signal });
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Carries a plan out. Its lines: binding, address, how it is sent (cache or not, and where there is anything but headers to change: milliseconds until an answer has to
 * begin, how often again), route, request id, then one for each header to take away (-) or to set (+), for each field that may be seen (*, the first of which is none), for each
 * header of the answer that is not the upstream's to say (<); and a body that was read (=), which is everything that is left.
 */
function forward(request, env, plan, came) {
  const end = plan.indexOf("\n=");
  const body = end < 0 ? undefined : plan.slice(end + 2);
  const [binding, url, sent, route, id, ...changes] = (end < 0 ? plan : plan.slice(0, end)).split("\n");
  const told = changes.filter((change) => change[0] === "<");
  const refuse = (error) => given(refused(route, id, error), told);
  try {
    return sent.length === 1 && came !== undefined && request.body === null
      ? forwardPlainly(request, env, came, { binding, url, sent, changes }).then(answered).catch(refuse)
      : forwardOther(request, env, came, { binding, url, sent, route, id, changes, told, body }).catch(refuse);
  } catch (error) {
    return refuse(error);
  }
}

/** A new head costs the platform less than another one for a request that it has. */
function forwardPlainly(request, env, came, { binding, url, sent, changes }) {
  const init = { method: request.method, headers: changed(request, came, changes), redirect: "manual", cf: request.cf };
  if (sent === "0") init.cache = "no-store";
  return binding === "" ? fetch(url, init) : env[binding].fetch(url, init);
}

/** The answer, where a part of what it says to browsers is said here: what the upstream says of that does not pass. */
function given(response, told) {
  if (told.length === 0) return response;
  const headers = new Headers(response.headers);
  for (const name of [...headers.keys()]) if (name.startsWith("access-control-")) headers.delete(name);
  for (const line of told) {
    const at = line.indexOf(" ");
    const [name, value] = [line.slice(1, at), line.slice(at + 1)];
    name === "Vary" ? headers.append(name, value) : headers.set(name, value);
  }
  const { status, statusText, webSocket, body } = response;
  return new Response(body, { status, statusText, webSocket, headers });
}

/** A request that could not be forwarded. */
function refused(route, id, error) {
  if (error instanceof WebAssembly.RuntimeError) return failed(error);
  try {
    return answerOf(notForwarded(route, id, reasonOf(error), error?.name === "TimeoutError"));
  } catch (error) {
    return failed(error);
  }
}

async function forwardOther(request, env, came, { binding, url, sent, route, id, changes, told, body }) {
  const [cache, timeout = "0", retries = "0"] = sent.split(" ");
  const onward = asItCame(request, url, body);
  // `fetch` copies the request in any case.
  const isPart = changes.some((change) => change[0] === "*");
  const headers = changed(request, came, changes.filter((change) => change[0] === "-" || change[0] === "+"));
  const init = cache === "1" ? { headers, redirect: "manual" } : { headers, redirect: "manual", cache: "no-store" };
  let left = SAFE.includes(request.method) && request.body === null ? Number(retries) : 0;
  const ask = () => asked(env, binding, onward, init, Number(timeout));
  const again = (error) => (left-- > 0 && error.name !== "TimeoutError" ? ask().catch(again) : Promise.reject(error));
  const response = answered(await (left === 0 ? ask() : ask().catch(again)));
  if (!isPart) return given(response, told);
  const paths = changes.filter((change) => change[0] === "*").map((change) => change.slice(1));
  const unfit = (why, isLate = false) => answerOf(notForwarded(route, id, why, isLate));
  return given(await redacted(response, paths.join("\n"), Number(timeout), unfit), told);
}

/** Something that should never go wrong did. */
function failed(error) {
  tellCritical(error);
  return new Response(null, { status: 503, headers: { "cache-control": "no-store", "retry-after": "5" } });
}

const carriedOut = (decision, request, env, headers) =>
  decision[0] === "!" ? answerOf(decision) : forward(request, env, decision, headers);

/** A request that has to wait before it is decided, or whose times somebody may see. `head` is that of `headOf`; `decided`: what is known of it already. */
async function later(request, env, context, head, decided) {
  try {
    const [, headers, timing] = head;
    const timings = timing === undefined ? undefined : await timingsFor(timing, env.TOLLGATE_TIMING_TOKEN);
    const now = Date.now();
    const decision = decided ?? (await inTurns(resume, (number) => decide(request, env, context, timings, number)));
    if (decision === undefined) throw new Error("no decision");
    if (timings === undefined) return await carriedOut(decision, request, env, headers);
    timings.decide = Date.now() - now;
    const response = await carriedOut(decision, request, env, headers);
    if (decision[0] !== "!") timings.upstream = Date.now() - now - timings.decide;
    return withTimings(response, timings);
  } catch (error) {
    return failed(error);
  }
}

// No function of the quick way is asynchronous but what asks the upstream: each promise costs.
export default {
  fetch(request, env, context) {
    try {
      // Making an instance of its class starts a new module.
      if (globalThis.__worker_init_state.criticalError) new Worker(context, env);
      const looking = looked(env, context);
      const head = headOf(request);
      if (looking !== undefined) return looking.then(() => later(request, env, context, head)).catch(failed);
      const [text, headers, timing] = head;
      const decision = decideNow(bytesOf(text), request.body !== null, Date.now());
      return decision === undefined || timing !== undefined
        ? later(request, env, context, head, decision)
        : carriedOut(decision, request, env, headers);
    } catch (error) {
      return failed(error);
    }
  },
};
