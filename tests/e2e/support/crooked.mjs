// Requests that a gate and what stands behind it might read differently, made from a seed.

/** Mulberry32: small, and the same everywhere. */
export function randomness(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (count) => Math.floor(next() * count);
  const of = (items) => items[below(items.length)];
  const may = (share) => next() < share;
  return { below, of, may, some: (items, most) => Array.from({ length: below(most + 1) }, () => of(items)) };
}

// --- Paths --------------------------------------------------------------------------------------

const UP = [
  ...["..", "%2e%2e", "%2E%2e", ".%2e", "%2e.", "..;", "..;x=1", "..%3b", "..%3Bx", "%2e%2e;", "..%20", "%20..", "..%09", "..%00", "..%0d", "..%0a"],
  ...["..\\", "..%5c", "..%5C", "..%2f", "..%2F", "%252e%252e", "%25%32%65", "%c0%ae%c0%ae", "%c0%2e", "%e0%80%ae%e0%80%ae", "%f0%80%80%ae.", "%u002e%u002e", "%uff0e", "%2e%00"],
  ...["...", "....", ". .", "..%ff", "..%c3", ".%c3%a4.", "%ef%bc%8e%ef%bc%8e", "..+", "..%7f", "%2e%2e%2f", "%%32e", "..%", "..%2", ".%2e%20"],
];
const BETWEEN = ["/", "/", "/", "//", "///", "\\", "/\\", "%2f", "%2F", "%5c", "/./", "/%2e/", "%252f", "%c0%af", "%e0%80%af", "/;/", "/;x/", "%00/", "/%20/", "/x/../", "/%2e%2e/", "%0a/", "\t/", ";/"];
const ENDS = ["", "", "", "", "/", "//", "?", "?a=b", "??", "?x#y", "#", "#/x", "#?x", "%23", "%3f", "%3F/x", "%00", ";", ";x=1", ".", "..", "%20", "%20%20", "/.", "/..", "/%2e", "\\", "%5c", "%", "%zz", "/;", "?x=%00", "?/../../locations", "?\\", "%09", "~", "\u00e4", "%c3%a4", "\x7f", "\x01"];
const OPEN = ["/health", "/echo/open/x", "/counted", "/echo/open", "/", "/test/jwks", "/healthz", "/_tollgate/check"];
const CLOSED = ["/locations", "/customers", "/orders", "/orders/o-1001", "/echo/test/x", "/echo/sandbox/x", "/echo/foreign/x", "/counted/x", "/places/header", "/a/b"];

const hex = (random, code) => {
  const digits = code.toString(16).padStart(2, "0");
  return `%${random.may(0.5) ? digits : digits.toUpperCase()}`;
};

function mutated(random, path) {
  const at = random.below(path.length + 1);
  const [before, here, after] = [path.slice(0, at), path.slice(at, at + 1), path.slice(at + 1)];
  const other = random.of([
    () => (here === "" ? "" : hex(random, here.charCodeAt(0))),
    () => (here === "" ? "" : `%25${hex(random, here.charCodeAt(0)).slice(1)}`),
    () => here.toUpperCase(),
    () => here + here,
    () => here + random.of(UP),
    () => random.of(BETWEEN) + here,
    () => here + String.fromCharCode(random.below(256)),
    () => `${here};${here}`,
    () => "",
  ])();
  return before + other + after;
}

/** A path that one server might take for another's; every other one is straight, for what else there may be about its request. */
function crooked(random) {
  if (random.may(0.5)) return random.of([...OPEN, ...CLOSED, ...CLOSED]) + random.of(["", "", "", "?a=b", "?", "?x=/../"]);
  let path = random.of([
    () => random.of(OPEN) + random.of(BETWEEN) + Array.from({ length: 1 + random.below(4) }, () => random.of(UP)).join(random.of(BETWEEN)) + random.of(BETWEEN) + random.of(CLOSED).slice(1),
    () => random.of(BETWEEN) + random.of(CLOSED).slice(1),
    () => random.of(CLOSED) + random.of(BETWEEN) + random.of(UP) + random.of(BETWEEN) + random.of([...OPEN, ...CLOSED]).slice(1),
    () => random.of([...OPEN, ...CLOSED]).replaceAll("/", () => random.of(BETWEEN)),
    () => random.of([...OPEN, ...CLOSED]),
    () => `/echo/open/a${random.of(["%20", ".", "..", "%c3%a4", "%2b", ";x=1", "~", "%7e", "%252f", "%3f", "%23", "%25"])}/${random.of(["b", "%62", ".b", "b.", "b%20"])}`,
    () => `/counted/a${random.of(["%20", ".", "..", "%c3%a4", "%2b", ";x=1", "%3b", "~", "%7e", "%252f", "%3f", "%23", "%25"])}`,
    () => `/echo/open/${random.of(UP)}/${random.of(["test", "sandbox", "foreign"])}/x`,
    () => `/echo/test/${random.of(UP)}/${random.of(["open", "sandbox", "foreign"])}/x`,
    () => `/counted/${random.of(UP)}`,
    () => `/counted/x${random.of(BETWEEN)}${random.of(UP)}`,
  ])();
  for (let left = random.below(3); left > 0; left -= 1) path = mutated(random, path);
  return path + random.of(ENDS);
}

// --- Headers ------------------------------------------------------------------------------------

/** Names by which one product or another learns who is calling: `docs/attacks.md`, 56. */
export const IDENTITIES = [
  ...["X-Tollgate-Subject", "X-Tollgate-Scope", "X-Tollgate-Client", "X-Tollgate-Issuer", "X-Tollgate-Roles", "X-Tollgate-Request-Id", "X-Tollgate-Anything", "Tollgate-Subject"],
  ...["X-User", "X-User-Id", "X-Username", "X-Auth-Request-User", "X-Auth-User", "X-Authenticated-User", "X-Authenticated-Userid", "Remote-User", "X-Remote-User", "Remote-Groups", "X-Remote-Groups"],
  ...["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-User", "X-Forwarded-Email", "X-Forwarded-Access-Token", "X-Forwarded-Port", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP"],
  ...["CF-Access-Authenticated-User-Email", "CF-Access-Jwt-Assertion", "CF-Access-Client-Id", "X-JWT-Assertion", "X-Amzn-Oidc-Identity", "X-Goog-Authenticated-User-Email", "X-Goog-IAP-JWT-Assertion", "X-MS-Client-Principal"],
  ...["X-Webauth-User", "X-Consumer-Custom-ID", "X-Credential-Identifier", "X-Anonymous-Consumer", "X-Hasura-Role", "X-Vouch-User", "X-Pomerium-Claim-Email", "X-Authentik-Username", "X-Userinfo", "X-Roles", "X-Groups", "X-Email"],
  ...["OIDC-Claim-Sub", "SSL-Client-S-DN", "X-SSL-Client-DN", "X-Client-Cert", "Tailscale-User-Login", "X-Original-URI", "X-Original-Host", "X-Access-Token", "X-ID-Token", "IV-User", "SM-User"],
];
export const OVERRIDES = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "X-Rewrite-URL", "X-Original-URL", "X-Original-Method", "X-Forwarded-Method", "X-Forwarded-Uri", "X-Forwarded-Prefix"];
export const HOPS = ["Keep-Alive", "TE", "Trailer", "Proxy-Authorization", "Proxy-Connection", "Upgrade"];
/** Everything that a name may hold besides letters and digits (RFC 9110 section 5.6.2). */
const MARKS = [..."!#$%&'*+-.^_`|~"];
/** What the value of each header holds that must not arrive. */
export const EVIL = "evil";

function spelt(random, name) {
  const other = name.replace(/-/g, (dash) => (random.may(0.4) ? random.of(["_", "_", "_", "_", ...MARKS]) : dash));
  return [...other].map((letter) => (random.may(0.3) ? (random.may(0.5) ? letter.toUpperCase() : letter.toLowerCase()) : letter)).join("");
}

/** Lines that must not arrive; `rough`: the message is one that a server may refuse altogether. */
function crookedHeader(random) {
  const name = spelt(random, random.of(IDENTITIES));
  const value = `${EVIL}${random.below(1000)}`;
  const smooth = [
    () => ({ lines: [`${name}: ${value}`] }),
    () => ({ lines: [`${name}: ${value}`, `${name}: ${value}`] }),
    () => ({ lines: [`${name}:${value}`, `${name.toLowerCase()}:\t ${value} `] }),
    () => ({ lines: [`${spelt(random, random.of(OVERRIDES))}: ${value}`] }),
    () => ({ lines: [`${random.of(HOPS)}: ${value}`] }),
    () => ({ lines: [`Connection: ${random.of(["close", "keep-alive", "x"])}, x-tollgate-subject, X-Tollgate-Scope, x-tollgate-client, x-tollgate-issuer`] }),
    () => ({ lines: ["Connection: X-Hop", `X-Hop: ${value}`] }),
    () => ({ lines: [`X-Hop: ${value}`, "Connection: keep-alive", "Connection: x-hop"] }),
    () => ({ lines: ["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", "Connection: Upgrade, HTTP2-Settings"] }),
  ];
  const rough = [
    () => ({ lines: [`${name} : ${value}`], rough: true }),
    () => ({ lines: [`${name}\t: ${value}`], rough: true }),
    () => ({ lines: [` ${name}: ${value}`], rough: true }),
    () => ({ lines: [`X-Kept: a\r\n ${name}: ${value}`], rough: true }),
    () => ({ lines: [`X-Kept: a\n${name}: ${value}`], rough: true }),
    () => ({ lines: [`X-Kept: a\r${name}: ${value}`], rough: true }),
    () => ({ lines: [`X-Kept: a\0\r\n${name}: ${value}`], rough: true }),
    () => ({ lines: [`X-Kept: a\x0b${name}: ${value}`, `X-Kept: a\x85${name}: ${value}`], rough: true }),
    () => ({ lines: [`${name}\0: ${value}`], rough: true }),
    () => ({ lines: [`${name}\u00a0: ${value}`], rough: true }),
    () => ({ lines: [`\u00ff${name}: ${value}`], rough: true }),
    () => ({ lines: [`${name}:\r\n ${value}`], rough: true }),
    () => ({ lines: [`${name}\r\n : ${value}`], rough: true }),
    () => ({ lines: [`: ${value}`, `${name}`], rough: true }),
    () => ({ lines: [`X-Kept: ${"k".repeat(random.below(9000))}`, `${name}: ${value}`], rough: true }),
  ];
  return random.of(random.may(0.9) ? smooth : rough)();
}

// --- Credentials --------------------------------------------------------------------------------

/** Lines and a query that present a token; `by`: the one that they may count as, and nobody's where that is missing. */
function credentials(random, tokens) {
  const token = random.of(tokens);
  const other = random.of(tokens);
  const bearer = `Authorization: Bearer ${token.text}`;
  return random.of([
    () => ({ lines: [] }),
    ...Array.from({ length: 12 }, () => () => ({ lines: [bearer], by: token })),
    () => ({ lines: [`${spelt(random, "authorization").replace(/[^a-z]/gi, "")}:${random.of(["bearer", "BEARER", "bEaReR"])} ${token.text} `], by: token }),
    () => ({ lines: [bearer, bearer] }),
    () => ({ lines: [bearer, `authorization: Bearer ${other.text}`] }),
    () => ({ lines: ["Authorization: Basic YTpi", bearer] }),
    () => ({ lines: [bearer, "Authorization: Basic YTpi"] }),
    () => ({ lines: [bearer, "Authorization:"] }),
    () => ({ lines: [`${bearer}, Bearer ${other.text}`] }),
    () => ({ lines: [`${bearer},`] }),
    () => ({ lines: [`Authorization: Bearer\t${token.text}`] }),
    () => ({ lines: [`Authorization: "Bearer ${token.text}"`] }),
    () => ({ lines: [`Authorization: Bearer "${token.text}"`] }),
    () => ({ lines: [`Authorization: Basic YTpi, Bearer ${token.text}`] }),
    () => ({ lines: [`Authorization: DPoP ${token.text}`] }),
    () => ({ lines: [`Authorization: Bearer ${token.text.slice(0, -8)}AAAAAAAA`] }),
    () => ({ lines: [`Authorization: Bearer ${token.text.replace(/^[^.]*/, "eyJhbGciOiJub25lIn0")}`] }),
    () => ({ lines: [`${random.of(["Authorization_", "X-Authorization", "Proxy-Authorization", "Authorization~", "X-Forwarded-Authorization"])}: Bearer ${token.text}`] }),
    () => ({ lines: [`Cookie: access_token=${token.text}; Authorization=Bearer ${token.text}`] }),
    () => ({ lines: [], query: `access_token=${token.text}` }),
    () => ({ lines: [bearer], query: `access%5ftoken=${other.text}` }),
    () => ({ lines: [`Authorization : Bearer ${token.text}`], by: token, rough: true }),
    () => ({ lines: [`Authorization: Bearer\r\n ${token.text}`], by: token, rough: true }),
    () => ({ lines: [`X-Kept: a\r\n Authorization: Bearer ${token.text}`], rough: true }),
    () => ({ lines: [`X-Kept: a\nAuthorization: Bearer ${token.text}`], by: token, rough: true }),
  ])();
}

// --- Messages -----------------------------------------------------------------------------------

/** How a body is announced and sent. `inner` is a request that hides in it. */
function framed(random, inner) {
  const body = random.may(0.7) ? inner : "x".repeat(random.below(40));
  const size = body.length;
  const chunk = (text, at = text.length.toString(16)) => `${at}\r\n${text}\r\n`;
  const whole = `${chunk(body)}0\r\n\r\n`;
  const rough = (lines, body) => () => ({ lines, body, rough: true });
  if (body === "") return { lines: ["Content-Length: 0"], body };
  return random.of([
    () => ({ lines: [`Content-Length: ${size}`], body }),
    () => ({ lines: [`Content-Length: ${size}`], body }),
    () => ({ lines: ["Transfer-Encoding: chunked"], body: whole }),
    () => ({ lines: ["Transfer-Encoding: chunked"], body: whole }),
    rough([`Content-Length: ${size}`, "Transfer-Encoding: chunked"], whole),
    rough(["Transfer-Encoding: chunked", "Content-Length: 4"], `0\r\n\r\n${body}`),
    rough([`Content-Length: ${size + 5}`, "Transfer-Encoding: chunked"], `0\r\n\r\n${body}`),
    rough(["Content-Length: 0", `Content-Length: ${size}`], body),
    rough([`Content-Length: ${size}`, "Content-Length: 0"], body),
    rough([`Content-Length: ${size}`, `Content-Length: ${size}`], body),
    rough([`Content-Length: 0, ${size}`], body),
    rough([`Content-Length: +${size}`], body),
    rough([`Content-Length: -${size}`], body),
    rough([`Content-Length: 0x${size.toString(16)}`], body),
    rough([`Content-Length: ${size}.0`], body),
    rough([`Content-Length:  \t${size} `], body),
    rough([`Content-Length: 0${size}`], body),
    rough(["Content-Length: 18446744073709551616"], body),
    rough(["Content-Length: 18446744073709551617"], body),
    rough([`Content-Length : ${size}`], body),
    rough([`Content-Length\0: ${size}`], body),
    rough([`Content_Length: ${size}`], body),
    rough(["Content-Length:"], body),
    rough(["Transfer-Encoding: xchunked"], whole),
    rough(["Transfer-Encoding: identity"], whole),
    rough(["Transfer-Encoding: identity", `Content-Length: ${size}`], body),
    rough(["Transfer-Encoding: chunked, identity"], whole),
    rough(["Transfer-Encoding: gzip, chunked"], whole),
    rough(["Transfer-Encoding: identity", "Transfer-Encoding: chunked"], whole),
    rough(["Transfer-Encoding: chunked", "Transfer-Encoding: identity"], whole),
    rough(["Transfer-Encoding : chunked", `Content-Length: ${whole.length}`], whole),
    rough(["Transfer-Encoding:\x0bchunked", `Content-Length: ${size}`], body),
    rough(["Transfer-Encoding: CHUNKED"], whole),
    rough(["Transfer-Encoding: chunked;x=1"], whole),
    rough(["Transfer_Encoding: chunked", `Content-Length: ${size}`], body),
    rough(["X-Kept: a\nTransfer-Encoding: chunked"], whole),
    rough(["Transfer-Encoding: chunked"], `${chunk(body, `${size.toString(16)};a=b`)}0\r\n\r\n`),
    rough(["Transfer-Encoding: chunked"], `${chunk(body, `00${size.toString(16)}`)}0\r\n\r\n`),
    rough(["Transfer-Encoding: chunked"], `${chunk(body, `0x${size.toString(16)}`)}0\r\n\r\n`),
    rough(["Transfer-Encoding: chunked"], `${chunk(body, ` ${size.toString(16)}`)}0\r\n\r\n`),
    rough(["Transfer-Encoding: chunked"], `${chunk(body, `1${"0".repeat(15)}${size.toString(16)}`)}0\r\n\r\n`),
    rough(["Transfer-Encoding: chunked"], `${size.toString(16)}\n${body}\n0\n\n`),
    rough(["Transfer-Encoding: chunked"], `${chunk(body)}0\r\nX-Tollgate-Subject: ${EVIL}\r\n\r\n`),
    rough(["Transfer-Encoding: chunked"], `${chunk(body)}0\r\n`),
    rough(["Expect: 100-continue", `Content-Length: ${size}`], body),
  ])();
}

/**
 * A maker of requests: each has a `mark`, which is its own, `bytes`, and what the reference has to know of it. `tokens` are
 * `{ text, name, … }`; `authority` is where the gate is reached.
 */
export function maker(random, { tokens, authority }) {
  let marks = 0;
  const sent = new Map();
  const hosts = [
    ...["localhost", "LOCALHOST:80", "localhost.", `localhost@${authority}`, `${authority}@localhost`, "evil.example", "", "[::1]", "127.0.0.1", "127.1", "0x7f.0.0.1", "2130706433"],
    ...[`${authority}/locations?`, `${authority}/../x`, `${authority}#`, `${authority}?`, `${authority}\\@x`, `${authority}, localhost`, `${authority} localhost`, "127.0.0.1:99999", "127.0.0.1:x", "[::1", "a b", "x\ty", "%6cocalhost"],
  ];

  function keep(request) {
    sent.set(request.mark, request);
    return request;
  }

  /** What hides in a body: nobody may get anything by it that everybody may not get. */
  function inner() {
    const mark = String((marks += 1));
    const [method, target] = ["GET", random.of([...CLOSED, "/health"])];
    keep({ mark, method, target, hosts: [authority], isInner: true });
    return `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\nX-Mark: ${mark}\r\nX-Tollgate-Subject: ${EVIL}\r\n\r\n`;
  }

  function request() {
    const mark = String((marks += 1));
    const isPlain = random.may(0.2);
    const method = isPlain || random.may(0.6) ? "GET" : random.of(["POST", "POST", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "get", "Get", "PROPFIND", "PURGE", "GE\tT", "G T", "X\0", ""]);
    const credential = credentials(random, tokens);
    let target = isPlain ? random.of([...OPEN, ...CLOSED]) : crooked(random);
    // Behind a hash nobody presents anything.
    if (credential.query) target = target.replace(/#.*/s, "");
    if (credential.query) target += `${target.includes("?") ? "&" : "?"}${credential.query}`;
    const named = [isPlain || random.may(0.9) ? authority : random.of(hosts)];
    const hostLines = named.map((host) => `Host: ${host}`);
    let isRough = credential.rough ?? false;
    if (!isPlain && random.may(0.03)) {
      hostLines.push(`Host: ${random.of(hosts)}`);
      named.push(hostLines.at(-1).slice(6));
    }
    if (!isPlain && random.may(0.02)) hostLines.length = 0;
    if (!isPlain && random.may(0.1)) {
      const host = random.of([authority, authority, ...hosts]);
      named.push(host);
      target = random.of([`http://${host}`, `https://${host}`, `HTTP://${host}`, `//${host}`, `http:/${host}`, `http:${host}`, `ws://${host}`, `/http://${host}`, `${host}`, `http://${host}#`, "*", "x"]) + target;
    }
    const lines = [...credential.lines];
    const isKept = random.may(0.2);
    for (const crooked of isPlain ? [] : random.some([crookedHeader], 4).map((make) => make(random))) {
      lines.splice(random.below(lines.length + 1), 0, ...crooked.lines);
      isRough ||= crooked.rough ?? false;
    }
    if (isKept) lines.push("X-Kept: good");
    let body = "";
    if (!isPlain && (random.may(0.1) || (["POST", "PUT", "PATCH"].includes(method) && random.may(0.6)))) {
      const framing = framed(random, inner());
      lines.push(...framing.lines);
      body = framing.body;
      isRough ||= framing.rough ?? false;
    } else if (["POST", "PUT", "PATCH"].includes(method)) {
      lines.push("Content-Length: 0");
    }
    // Bytes in a target that end it, or the line; and what a server answers by itself.
    isRough ||= !/^\/[^\0-\x20\x7f-\xff"<>^`{|}]*$/.test(target) || !/^[A-Z]+$/.test(method) || method === "CONNECT" || hostLines.length !== 1;
    const version = random.may(0.98) || isPlain ? "HTTP/1.1" : random.of(["HTTP/1.0", "HTTP/2.0", "http/1.1", "HTTP/1.1 x", ""]);
    isRough ||= version !== "HTTP/1.1";
    const closes = lines.some((line) => /^connection:.*close/im.test(line));
    const bytes = `${method} ${target} ${version}\r\nX-Mark: ${mark}\r\n${[...hostLines, ...lines].map((line) => `${line}\r\n`).join("")}\r\n${body}`;
    return keep({ mark, method, target, hosts: named, by: credential.by, bytes, isRough, isPlain, closes, isKept });
  }

  /** One that ends a connection. */
  function last() {
    const mark = String((marks += 1));
    const bytes = `GET /health HTTP/1.1\r\nX-Mark: ${mark}\r\nHost: ${authority}\r\nConnection: close\r\n\r\n`;
    return keep({ mark, method: "GET", target: "/health", hosts: [authority], bytes, closes: true });
  }

  return { request, last, sent };
}
