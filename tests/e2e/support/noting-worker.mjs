// The example API. Whatever reaches it is noted down before it is answered, and each answer says whose it is.
import example from "./example.js";

export default {
  async fetch(request, env, context) {
    const { method, url, headers } = request;
    await env.NOTES.fetch("http://notes/", { method: "POST", body: JSON.stringify({ method, url, headers: [...headers] }) });
    const answer = await example.fetch(request, env, context);
    const marked = new Response(answer.body, answer);
    marked.headers.set("x-seen", headers.get("x-mark") ?? "");
    return marked;
  },
};
