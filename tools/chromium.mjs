// Chromium, for the tests that need a real browser: found where systems put it, or installed where that needs nobody's consent.
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { run } from "./run.mjs";

const PLACES = [
  process.env.CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

const found = () => PLACES.find((path) => path && existsSync(path));

/** The path of a Chromium. */
export async function ensureChromium(say = (text) => process.stderr.write(`${text}\n`)) {
  const there = found();
  if (there) return there;
  if (existsSync("/etc/debian_version") && process.getuid?.() === 0) {
    say("installing chromium with apt-get (a minute or two)");
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const aptGet = (...args) => run("apt-get", args, { env, quiet: true }).catch(() => 1);
    const install = () => aptGet("install", "-y", "--no-install-recommends", "chromium");
    // Without its lists apt-get finds no package.
    if ((await install()) !== 0 && (await aptGet("update")) === 0) await install();
    const installed = found();
    if (installed) return installed;
  }
  throw new Error("Chromium is missing. Debian: `sudo apt-get install chromium`; or name one in CHROMIUM.");
}

const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A browser with a profile of its own, which `close` deletes. */
export async function launchChromium() {
  const executablePath = await ensureChromium();
  const profile = mkdtempSync(join(tmpdir(), "tollgate-chromium-"));
  const browser = await chromium.launch({ executablePath, headless: true, args: [...ARGUMENTS, `--crash-dumps-dir=${profile}`] });
  const close = async () => {
    await browser.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { browser, close };
}
