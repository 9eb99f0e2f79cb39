// Who sends a realm's mail, and an application that hears of sign-outs: one server that keeps what it gets.
import { createServer } from "node:http";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";

import { remember } from "./secrets.mjs";

// issuer.json names it.
const PORT = 8814;
const read = async (request) => (await request.toArray()).join("");

async function until(what, found) {
  for (let tries = 0; tries < 100; tries += 1) {
    const it = found();
    if (it) return it;
    await sleep(50);
  }
  throw new Error(`${what} did not come within 5 s`);
}

/** Serves until `stop`. `answers`: the status codes of the next notices of sign-outs; then 200. */
export async function startPost() {
  const [mails, notices, answers] = [[], [], []];
  const server = createServer(async (request, response) => {
    const body = await read(request);
    if (request.url === "/mail") {
      mails.push({ ...JSON.parse(body), authorization: request.headers.authorization });
      response.writeHead(202).end();
    } else {
      const status = answers.shift() ?? 200;
      notices.push({ status, token: new URLSearchParams(body).get("logout_token"), type: request.headers["content-type"] });
      response.writeHead(status).end();
    }
  });
  server.listen(PORT, "127.0.0.1");
  await once(server, "listening");
  return {
    mails,
    notices,
    answers,
    hears: `http://127.0.0.1:${PORT}/logged-out`,
    /** The link of the latest mail to this address. */
    async link(to) {
      const mail = await until(`a mail to ${to}`, () => mails.findLast((mail) => mail.to === to));
      mails.length = 0;
      const link = mail.text.split("\n").find((line) => line.startsWith("http"));
      const secret = new URL(link).searchParams;
      remember("a link", secret.get("link") ?? secret.get("invitation"));
      return { ...mail, link };
    },
    /** So many notices of sign-outs. */
    heard: (count) => until(`${count} notices`, () => notices.length >= count && notices),
    stop: () => server.close(),
  };
}
