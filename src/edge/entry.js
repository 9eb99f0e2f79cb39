// The worker's entry: the only thing that is reachable from outside, by HTTP or by RPC.
//
// A request is shown to the WebAssembly module in one synchronous call. Where memory is enough, that call answers;
// otherwise the module is asked again and may take its time. Both answer alike: a response, or how the request goes on.
// What the module exports stays behind this file: an entry point of the module's own would make each export a method
// that any worker with a service binding could call.
import { DurableObject } from "cloudflare:workers";

import { configuration, managedFrom } from "./configuration.js";
import { bytesOf, inTurns } from "./crossing.js";
import Worker, { DirectoryDo as Directory, KeyringDo as Keyring, PrincipalDo as Principal } from "./worker.js";

// The module reads it at its first request, and again should the platform make another instance of it.
globalThis.tollgateConfiguration = configuration;

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

/** What the module is shown of a request, and its headers: as an object, or a copy where a value has bytes that are no text. */
function headOf(request) {
  let credentials = "";
  let connection = "";
  let names = "";
  let headers = Object.create(null);
  request.headers.forEach((value, name) => {
    if (name === "authorization") credentials = `=${value}`;
    else if (name === "connection") connection = value;
    names += `\n${name}`;
    if (OTHER_BYTES.test(value)) headers = undefined;
    else if (headers !== undefined) headers[name] = value;
  });
  return [`${request.method}\n${request.url}\n${credentials}\n${connection}${names}`, headers];
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
  if (!response.headers.get("set-cookie")?.includes(OURS)) return response;
  const headers = new Headers(response.headers);
  headers.delete("set-cookie");
  for (const cookie of response.headers.getSetCookie()) {
    if (!cookie.trimStart().startsWith(OURS)) headers.append("set-cookie", cookie);
  }
  const { status, statusText, webSocket } = response;
  return new Response(response.body, { status, statusText, webSocket, headers });
}

/** The request at its new address. A body that was read is taken from the last of the changes: it is not there any more. */
function asItCame(request, url, changes) {
  if (changes.at(-1)?.[0] === "=") {
    return new Request(url, { method: request.method, body: changes.pop().slice(1) });
  }
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

/**
 * `plan`: binding, address, cache or not, route, request id, then a line for each header to take away (-) or to set (+),
 * and for a body that was read (=).
 */
async function forward(request, env, plan, came) {
  const [binding, url, cache, route, id, ...changes] = plan.split("\n");
  try {
    const onward = asItCame(request, url, changes);
    // `fetch` copies the request in any case.
    const headers = changed(request, came, changes);
    const init = cache === "1" ? { headers, redirect: "manual" } : { headers, redirect: "manual", cache: "no-store" };
    return answered(await (binding === "" ? fetch(onward, init) : env[binding].fetch(onward, init)));
  } catch (error) {
    // Some messages hold the address, and with it a query.
    return answerOf(notForwarded(route, id, String(error?.message).split("http")[0]));
  }
}

export default {
  async fetch(request, env, context) {
    const state = globalThis.__worker_init_state;
    // After a trap the module's memory cannot be trusted: making an instance of its class starts a new one.
    if (state.criticalError) new Worker(context, env);
    try {
      const looking = looked(env, context);
      if (looking !== undefined) await looking;
      const [head, headers] = headOf(request);
      const decision =
        decideNow(bytesOf(head), request.body !== null, Date.now()) ??
        (await inTurns(resume, (number) => decide(request, env, context, number)));
      if (decision !== undefined) return decision[0] === "!" ? answerOf(decision) : await forward(request, env, decision, headers);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) state.criticalError = true;
      console.error("Critical", error);
    }
    return new Response(null, { status: 503, headers: { "cache-control": "no-store", "retry-after": "5" } });
  },
};
