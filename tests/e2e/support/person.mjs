// A person with a browser that has no JavaScript: cookies, redirects, and the forms of the pages.
import assert from "node:assert/strict";

import { PASSWORD } from "./issuer.mjs";
import { remember } from "./secrets.mjs";

const decode = (text) => text.replaceAll(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)));

/** What a page would send: where to, and its fields. */
export function formOf(text) {
  const action = /<form method="post" action="([^"]*)"/.exec(text)?.[1];
  const fields = {};
  for (const [tag] of text.matchAll(/<input [^>]*>/g)) {
    const named = (name) => new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1];
    if (named("type") === "checkbox" && (!/ checked/.test(tag) || / disabled/.test(tag))) continue;
    fields[named("name")] = decode(named("value") ?? "");
  }
  return { action: decode(action), fields };
}

export class Person {
  #jar = new Map();

  constructor(login, password = PASSWORD) {
    Object.assign(this, { login, password });
  }

  /** What their browser says of itself. */
  get cookie() {
    return [...this.#jar].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** One request. The answer's redirect is not followed. */
  async send(url, form) {
    const init = form ? { method: "POST", body: new URLSearchParams(form) } : {};
    const response = await fetch(url, { ...init, headers: { cookie: this.cookie }, redirect: "manual" });
    for (const set of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(set);
      if (value === "") this.#jar.delete(name);
      else this.#jar.set(name, remember("a cookie", value));
    }
    const location = response.headers.get("location");
    const text = await response.text();
    return { status: response.status, headers: response.headers, text, next: location && new URL(location, url).href, url: String(url) };
  }

  /** The page that they want, after signing in where they have to. */
  async open(url) {
    let answer = await this.send(url);
    for (let steps = 0; steps < 10; steps += 1) {
      if (answer.next) {
        answer = await this.send(answer.next);
        continue;
      }
      if (!/<input [^>]*name="password"/.test(answer.text)) return answer;
      const { action, fields } = formOf(answer.text);
      answer = await this.send(new URL(action, answer.url), { ...fields, login: this.login, password: this.password });
    }
    throw new Error("it goes round in circles");
  }

  /** Goes on until the address is none of the issuer's; on the way signs in, and answers with `decide(fields)`. */
  async visit(url, decide = (fields) => ({ ...fields, decision: "allow" })) {
    const home = new URL(url).origin;
    let answer = await this.send(url);
    for (let steps = 0; steps < 10; steps += 1) {
      if (answer.next) {
        if (new URL(answer.next).origin !== home) return answer.next;
        answer = await this.send(answer.next);
        continue;
      }
      const { action, fields } = /<form/.test(answer.text) ? formOf(answer.text) : {};
      assert.ok(action, `${answer.status} ${answer.text.slice(0, 400)}`);
      const target = new URL(action, url);
      if (target.origin !== home) return { action: target.href, fields };
      const typed = "password" in fields ? { ...fields, login: this.login, password: this.password } : decide(fields);
      answer = await this.send(target, typed);
    }
    throw new Error("it goes round in circles");
  }
}
