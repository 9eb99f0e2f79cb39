// What a policy says of what arrived, by a matcher that knows nothing of tollgate's own, in every reading of a path; and what may arrive of headers.
import { EVIL, HOPS, IDENTITIES, OVERRIDES } from "./crooked.mjs";

/** A header's name as a server knows it that makes variables of them (RFC 3875 section 4.1.18). */
const cgi = (name) => name.toLowerCase().replace(/[^a-z0-9]/g, "_");
const REFUSED_NAMES = new Set([...IDENTITIES, ...OVERRIDES, ...HOPS.filter((name) => name !== "Upgrade")].map(cgi));
const REFUSED_SHAPE = /^(x_)?tollgate_/;

/** What a lenient reader makes of overlong forms (RFC 3629 section 3 forbids them), and of bytes. */
function latin(bytes) {
  let out = "";
  for (let at = 0; at < bytes.length; at += 1) {
    const [one, two, three] = [bytes.charCodeAt(at), bytes.charCodeAt(at + 1), bytes.charCodeAt(at + 2)];
    const follows = (byte) => (byte & 0xc0) === 0x80;
    if ((one & 0xe0) === 0xc0 && one < 0xc2 && follows(two)) {
      out += String.fromCharCode(((one & 0x1f) << 6) | (two & 0x3f));
      at += 1;
    } else if (one === 0xe0 && two < 0xa0 && follows(two) && follows(three)) {
      out += String.fromCharCode(((two & 0x3f) << 6) | (three & 0x3f));
      at += 2;
    } else out += bytes[at];
  }
  return out;
}

const unescaped = (path) => path.replace(/%([0-9a-f]{2})/gi, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
const bySegment = (path, change) => path.split("/").map(change).join("/");
const withoutParameters = (path) => bySegment(path, (segment) => segment.replace(/;.*/s, ""));
const trimmed = (path) => bySegment(path, (segment) => segment.replace(/[. ]+$/s, (end) => (/^\.{1,2}$/.test(segment) ? end : /^\.\. +$/.test(segment) ? ".." : "")));
const cut = (path) => path.replace(/[\0\r\n].*/s, "");

function resolved(path) {
  const out = [];
  for (const segment of path.split("/").slice(1)) {
    if (segment === "..") out.pop();
    else if (segment !== ".") out.push(segment);
  }
  return `/${out.join("/")}`;
}
const collapsed = (path) => path.replace(/\/+/g, "/");

/** The ways in which one server or another reads a path. */
const READERS = {
  "as it is": (path) => path,
  "RFC 3986 section 6": (path) => resolved(unescaped(path)),
  "escapes undone": (path) => unescaped(path),
  "dots first": (path) => unescaped(resolved(path)),
  "slashes merged": (path) => resolved(collapsed(unescaped(path))),
  "parameters dropped": (path) => resolved(unescaped(withoutParameters(path))),
  "escaped parameters dropped": (path) => resolved(collapsed(withoutParameters(unescaped(path)))),
  "backslashes as slashes": (path) => resolved(collapsed(unescaped(path).replaceAll("\\", "/"))),
  "ends of names trimmed": (path) => resolved(collapsed(trimmed(unescaped(path)))),
  "overlong forms read": (path) => resolved(collapsed(latin(unescaped(path)))),
  "as in C": (path) => resolved(cut(unescaped(path))),
  "all at once": (path) => resolved(collapsed(trimmed(withoutParameters(cut(latin(unescaped(path)).replaceAll("\\", "/")))))),
};

function fits(pattern, path) {
  const [ours, theirs] = [pattern.split("/"), path.split("/")];
  if (ours.at(-1) === "*") {
    const last = ours.length - 1;
    return theirs.length > last && ours.slice(0, last).every((segment, at) => isOne(segment, theirs[at])) && theirs.slice(last).join("/") !== "";
  }
  return ours.length === theirs.length && ours.every((segment, at) => isOne(segment, theirs[at]));
}
const isOne = (ours, theirs) => (/^\{\w+\}$/.test(ours) ? theirs !== "" : ours === theirs);

/** Whether the policy lets this pass: `token` is who it speaks for, if anybody. */
export function permits(policy, { method, path, hosts, to, token }) {
  const covers = (held, scope) => held.includes(scope) || held.some((other) => (policy.scopes[other]?.implies ?? []).some((implied) => covers([implied], scope)));
  return policy.routes.some((route) => {
    if (!route.methods.includes(method) || !fits(route.path, path) || !Object.hasOwn(route.to, to)) return false;
    if (route.host !== undefined && !hosts.includes(route.host)) return false;
    if (route.anonymous) return token === undefined;
    return token !== undefined && route.require.issuers.includes(token.realm) && route.require.scopes.every((scope) => covers(token.scopes, scope));
  });
}

/** What is wrong with what arrived: sentences. `arrived` is `{ to, method, path, query, fields }`; `was` is the request with its mark. */
export function wrongs(policy, was, { to, method, path, fields, body = "" }) {
  const found = [];
  const names = fields.map(([name]) => cgi(name));
  const identity = fields.filter(([name]) => REFUSED_SHAPE.test(cgi(name)));
  const token = identity.length > 1 ? was.by : undefined;
  if (method !== was.method) found.push(`it arrived as ${method}`);
  if (identity.length > 1 && !was.by) found.push("it arrived as somebody's, and nobody may be meant");
  const hosts = was.hosts.map((host) => host.toLowerCase().replace(/^.*@/, "").replace(/:\d+$/, ""));
  for (const [reader, read] of Object.entries(READERS)) {
    const seen = read(path);
    if (!permits(policy, { method, path: seen, hosts, to, token })) found.push(`${reader} it asks for ${JSON.stringify(seen)}, which is not allowed ${token ? `for ${token.name}` : "for everybody"}`);
  }
  const ours = Object.fromEntries(identity.map(([name, value]) => [name.toLowerCase(), value]));
  const { "x-tollgate-request-id": id, ...rest } = ours;
  if (identity.length !== Object.keys(ours).length) found.push("an identity header arrived twice");
  if (!/^[\w-]{16}$/.test(id ?? "")) found.push(`its name is ${id}`);
  const expected = token ? token.identity : {};
  for (const name of new Set([...Object.keys(rest), ...Object.keys(expected)])) {
    if (rest[name] !== expected[name]) found.push(`${name} is ${rest[name]}, not ${expected[name]}`);
  }
  for (const [name, value] of fields) {
    const plain = cgi(name);
    if (REFUSED_NAMES.has(plain) && !REFUSED_SHAPE.test(plain)) found.push(`${name} arrived`);
    else if (value.includes(EVIL) && plain !== "x_kept" && plain !== "upgrade") found.push(`${name} arrived as ${value}`);
    if (plain === "authorization" && token) found.push("the token went on");
    // A worker behind a binding has no connection that could become another.
    if (plain === "http2_settings" || (plain === "upgrade" && to === "url")) found.push(`${name}: ${value} arrived`);
  }
  if (names.filter((name) => name === "host").length > 1) found.push("two hosts");
  if (names.includes("content_length") && names.includes("transfer_encoding")) found.push("two lengths");
  if (names.filter((name) => name === "content_length" || name === "transfer_encoding").length > 1) found.push("a length twice");
  if (["GET", "HEAD"].includes(method) && body !== "") found.push("it has a body");
  return found;
}
