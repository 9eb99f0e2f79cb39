// The worker's entry: the only thing that is reachable from outside, by HTTP or by RPC.
//
// A request is shown to the WebAssembly module in one synchronous call. Where memory is enough, that call answers;
// otherwise the module is asked again and may take its time. Both answer alike: a response, or how the request goes on.
// What the module exports stays behind this file: an entry point of the module's own would make each export a method
// that any worker with a service binding could call.
import Worker, { KeyringDo, PrincipalDo } from "./worker.js";

export { KeyringDo, PrincipalDo };

const { decide_now: decideNow, not_forwarded: notForwarded } = Worker.prototype;
const PRIVATE = { redirect: "manual", cache: "no-store" };
const CACHEABLE = { redirect: "manual" };

function atOnce(request) {
  const { headers } = request;
  const authorization = headers.get("authorization");
  const head = [request.method, request.url, authorization === null ? "" : `=${authorization}`, ...headers.keys()];
  try {
    return decideNow(head.join("\n"), request.body !== null, Date.now());
  } catch (error) {
    // A trap: the module's memory cannot be trusted any more. The long way starts with a new one.
    if (error instanceof WebAssembly.RuntimeError) globalThis.__worker_init_state.criticalError = true;
    console.error("Critical", error);
    return undefined;
  }
}

/** `plan`: binding, address, cache or not, route, request id, then a line for each header to take away (-) or to set (+). */
async function forward(request, env, plan) {
  const [binding, url, cache, route, id, ...changes] = plan.split("\n");
  try {
    const init = cache === "1" ? CACHEABLE : PRIVATE;
    const onward = new Request(url === request.url ? request : new Request(url, request), init);
    for (const change of changes) {
      const at = change.indexOf(" ");
      if (change[0] === "-") onward.headers.delete(change.slice(1));
      else onward.headers.set(change.slice(1, at), change.slice(at + 1));
    }
    return await (binding === "" ? fetch(onward) : env[binding].fetch(onward));
  } catch (error) {
    return notForwarded(route, id, String(error?.message));
  }
}

export default {
  async fetch(request, env, context) {
    const decision = atOnce(request) ?? (await new Worker(context, env).decide(request, env, context));
    return typeof decision === "string" ? forward(request, env, decision) : decision;
  },
};
