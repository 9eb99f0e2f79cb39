// Tables of wrong tokens: each must be 401 invalid_token, with the one body, and get nowhere.
import assert from "node:assert/strict";

import { assertInvalidToken, call, inBatches } from "./client.mjs";
import { claims, forge, forgeFrom, header } from "./forge.mjs";
import { URL_HERE } from "./instance.mjs";

/** A route for tokens of realm `test` and of the foreign issuer; behind it counts the upstream. */
export const TARGET = `${URL_HERE}/counted/x`;

/** Asserts for each `[about, token]` that it is refused and goes nowhere. */
export const refuser = (upstream) => async (cases) => {
  const before = upstream.requests.length;
  const all = await Promise.all(cases.map(async ([about, made]) => [about, await made]));
  assert.ok(all.length > 0);
  await inBatches(all, async ([about, made]) => assertInvalidToken(await call(made, TARGET), about));
  assert.equal(upstream.requests.length, before, "a refused request reached the upstream");
};

/** A case per value. */
export const each = (values, make) => values.map((value) => [JSON.stringify(value), make(value)]);

/** Genuine but for one member of the claims or of the header; `undefined` leaves it out. */
export const withClaim = (name, values) => each(values, (value) => forge({ claims: { [name]: value } }));
export const withHeader = (name, values) => each(values, (value) => forge({ header: { [name]: value } }));

const asIs = (text) => text;
const placed = (object, text) => JSON.stringify(object).replace('"@"', text);

/** The same with the member's text in JSON: for what JavaScript cannot hold as a value. */
export const withClaimText = (name, texts) =>
  texts.map((text) => [`${name}: ${text.slice(0, 40)}`, forgeFrom(asIs, () => placed(claims({ [name]: "@" }), text))]);
export const withHeaderText = (name, texts) =>
  texts.map((text) => [`${name}: ${text.slice(0, 40)}`, forgeFrom(() => placed(header({ [name]: "@" }), text), asIs)]);
