// Workers KV as the runtime asks for it over HTTP, kept in memory: GET, PUT and DELETE of /KEY.
const values = new Map();

export default {
  async fetch(request) {
    const key = decodeURIComponent(new URL(request.url).pathname.slice(1));
    if (request.method === "PUT") {
      values.set(key, await request.arrayBuffer());
      return new Response(null);
    }
    if (request.method === "DELETE") {
      values.delete(key);
      return new Response(null);
    }
    if (request.method !== "GET") return new Response(null, { status: 405 });
    const value = values.get(key);
    return value === undefined ? new Response(null, { status: 404 }) : new Response(value);
  },
};
