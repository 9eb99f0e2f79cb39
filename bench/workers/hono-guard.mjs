// A guard as hono's documentation shows it: its `jwk` middleware, then the request goes on.
import { Hono } from "hono";
import { jwk } from "hono/jwk";

import { handOn, keySet } from "./guard.mjs";

let guard;

const app = new Hono();

app.use("*", async (context, next) => {
  const { issuer, audience, alg, typ } = context.env.GUARD;
  guard ??= jwk({ keys: (await keySet(context.env)).keys, alg: [alg], verification: { iss: issuer, aud: audience, typ } });
  return guard(context, next);
});

app.all("*", (context) => handOn(context.req.raw, context.env, context.get("jwtPayload")));

export default app;
