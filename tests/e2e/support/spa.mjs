// A single-page application that knows oidc-client-ts and nothing of tollgate.
import { createServer } from "node:http";
import { once } from "node:events";
import { readFileSync } from "node:fs";

import { rememberToken } from "./secrets.mjs";

const library = readFileSync(new URL("../../../node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js", import.meta.url));

const page = (settings) => `<!doctype html><html lang="en"><title>Shop</title><main><h1>Shop</h1><button id="in">Sign in</button><pre id="out"></pre></main>
<script src="/library.js"></script><script>
const manager = new oidc.UserManager({ ...${JSON.stringify(settings)}, userStore: new oidc.WebStorageStateStore({ store: sessionStorage }) });
const show = (value) => (document.getElementById("out").textContent = JSON.stringify(value));
document.getElementById("in").onclick = () => manager.signinRedirect();
window.manager = manager;
if (location.pathname === "/cb") manager.signinCallback().then((user) => show({ profile: user.profile, scope: user.scope, token: user.access_token }), (error) => show({ error: error.error ?? error.message }));
</script></html>`;

/** Serves the application until `stop`. `settings` are those of the library; they may come later. */
export async function startSpa(port) {
  let settings = {};
  const server = createServer((request, response) => {
    const [type, body] = request.url.startsWith("/library.js") ? ["text/javascript", library] : ["text/html; charset=utf-8", page(settings)];
    response.writeHead(200, { "content-type": type }).end(body);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${port}`;
  return {
    origin,
    redirect: `${origin}/cb`,
    use: (next) => (settings = { redirect_uri: `${origin}/cb`, ...next }),
    /** What the application has got, once the page has come back to it. */
    async came(page) {
      await page.waitForURL(`${origin}/cb?*`);
      await page.waitForFunction(() => document.getElementById("out").textContent !== "");
      const said = JSON.parse(await page.textContent("#out"));
      if (said.token) rememberToken(said.token);
      return said;
    },
    stop: () => server.close(),
  };
}
