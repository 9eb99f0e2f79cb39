// What every contestant of the validation part has in common: its HTTP face and its loop. Only the checks differ.
//
//   POST /load                          the cases (keys, tokens), once
//   POST /refuses?case=ES256            which bad tokens get through; none should
//   POST /run?case=ES256&mode=first&n=500
//
// A worker's clock stands still while it computes, so nothing here looks at one.

const json = (body, status = 200) => Response.json(body, { status });

/**
 * Checks `n` items, walking on through the pool from where the last request stopped, so that no token comes twice
 * before all others did. `rewind` is called when the walk starts again.
 */
async function walk(state, check, n, rewind) {
  const { pool } = state;
  let ok = 0;
  for (let done = 0; done < n; done += 1) {
    if (state.next === pool.length) {
      state.next = 0;
      rewind?.();
    }
    if (await check(pool[state.next])) ok += 1;
    state.next += 1;
  }
  return ok;
}

function walkNow(state, check, n, rewind) {
  const { pool } = state;
  let ok = 0;
  for (let done = 0; done < n; done += 1) {
    if (state.next === pool.length) {
      state.next = 0;
      rewind?.();
    }
    if (check(pool[state.next])) ok += 1;
    state.next += 1;
  }
  return ok;
}

async function repeat(item, check, n) {
  let ok = 0;
  for (let done = 0; done < n; done += 1) if (await check(item)) ok += 1;
  return ok;
}

function repeatNow(item, check, n) {
  let ok = 0;
  for (let done = 0; done < n; done += 1) if (check(item)) ok += 1;
  return ok;
}

/** Nothing if the check lets the item through, else why not; an exception is a refusal. */
async function refusal(check, item) {
  try {
    return (await check(item)) === true ? undefined : "it says no";
  } catch (error) {
    return [error.message, error.cause?.message ?? error.originalError?.message].filter(Boolean).join(": ");
  }
}

/**
 * A worker around one contestant.
 *
 * `prepare(spec)` gets `{ alg, issuer, audience, jwk, pem, typ }` and answers
 * - `first(item)`: validates what it has not seen, and says `true` or throws; a promise unless `firstNow` is set
 * - `repeated(item)`: validates what it may have seen; the same as `first` where there is no cache. `repeatedNow` likewise
 * - `item(token)`: what is handed to both, made ahead of time (the token itself)
 * - `rewind()`: forgets every token
 * - `onlySignatures`: it looks at nothing else
 *
 * `load(config)` is called once before, with the text of a tollgate.json that has all of their issuers.
 */
export function face({ load, prepare }) {
  const states = new Map();

  async function ready({ specs, config }) {
    await load?.(config);
    const failed = {};
    for (const [name, { pool, repeated, bad, ...spec }] of Object.entries(specs)) {
      try {
        const way = await prepare(spec);
        const item = way.item ?? ((token) => token);
        const refused = Object.entries(bad).filter(([kind]) => !way.onlySignatures || kind === "signature");
        states.set(name, {
          ...way,
          pool: await Promise.all(pool.map(item)),
          next: 0,
          again: await item(repeated),
          bad: Object.fromEntries(await Promise.all(refused.map(async ([kind, token]) => [kind, await item(token)]))),
        });
      } catch (error) {
        failed[name] = String(error?.message ?? error);
      }
    }
    return json({ failed });
  }

  async function refuses(state) {
    const wrong = [];
    for (const mode of ["first", "repeated"]) {
      // The good token first: a cache that knows it must not let its relatives in.
      const why = (await refusal(state.first, state.again)) ?? (await refusal(state[mode], state.again));
      if (why) return json({ wrong: [`refuses a valid token: ${why}`] });
      for (const [kind, item] of Object.entries(state.bad)) {
        if (!(await refusal(state[mode], item))) wrong.push(`accepts a token with a bad ${kind} (${mode})`);
      }
    }
    return json({ wrong });
  }

  async function run(state, mode, n) {
    if (mode === "first") return state.firstNow ? walkNow(state, state.first, n, state.rewind) : walk(state, state.first, n, state.rewind);
    // A cache answers only for what it has seen. One more validation in every batch does not change their difference.
    await state.first(state.again);
    return state.repeatedNow ? repeatNow(state.again, state.repeated, n) : repeat(state.again, state.repeated, n);
  }

  return {
    async fetch(request) {
      const { pathname, searchParams } = new URL(request.url);
      if (request.method !== "POST") return json({ error: "POST only" }, 405);
      try {
        if (pathname === "/load") return await ready(await request.json());
        const state = states.get(searchParams.get("case"));
        if (!state) return json({ error: "no such case" }, 404);
        if (pathname === "/refuses") return await refuses(state);
        if (pathname === "/run") return json({ ok: await run(state, searchParams.get("mode"), Number(searchParams.get("n"))) });
        return json({ error: "no such path" }, 404);
      } catch (error) {
        return json({ error: String(error?.stack ?? error) }, 500);
      }
    },
  };
}
