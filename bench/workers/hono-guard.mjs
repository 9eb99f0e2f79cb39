// A guard as hono's documentation shows it: its `jwk` middleware, then the request goes on.
import { Hono } from "hono";
import { jwk } from "hono/jwk";

let guard;

const app = new Hono();

app.use("*", (context, next) => {
  const { issuer, audience, alg, typ, jwks } = context.env.GUARD;
  guard ??= jwk({ keys: jwks.keys, alg: [alg], verification: { iss: issuer, aud: audience, typ } });
  return guard(context, next);
});

app.all("*", (context) => {
  const headers = new Headers(context.req.raw.headers);
  headers.delete("authorization");
  headers.set("x-user", context.get("jwtPayload").sub);
  return context.env.ORIGIN.fetch(new Request(context.req.raw, { headers }));
});

export default app;
