// A page in Chromium: looked at in every scheme and size, and used by keyboard only. Screenshots go to target/screenshots.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { root } from "../../../tools/project.mjs";

const axe = readFileSync(join(root, "node_modules", "axe-core", "axe.min.js"), "utf8");
const folder = join(root, "target", "screenshots");
mkdirSync(folder, { recursive: true });

const WIDE = { width: 1280, height: 800 };
const PHONE = { width: 360, height: 740 };

/** What cannot be read as a whole: what is shown to be copied, and words in the heads of tables that are broken in two. */
function cut() {
  const shown = [...document.querySelectorAll("textarea[readonly]")].filter((field) => field.scrollHeight > field.clientHeight + 1);
  const broken = [...document.querySelectorAll("thead th")].filter((head) => {
    const range = document.createRange();
    return [...head.textContent.matchAll(/\S+/g)].some(({ 0: word, index }) => {
      range.setStart(head.firstChild, index);
      range.setEnd(head.firstChild, index + word.length);
      return range.getClientRects().length > 1;
    });
  });
  return [...shown.map(({ id }) => id), ...broken.map((head) => head.textContent)];
}

/** Looks at a page: no finding of axe, nothing wider than the window, nothing cut off; and a picture in each scheme and size. */
export async function look(page, name) {
  for (const colorScheme of ["light", "dark"]) {
    for (const [size, viewport] of [["wide", WIDE], ["phone", PHONE]]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(viewport);
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}-${size}.png`), fullPage: true });
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(overflow <= 0, `${name}, ${size}: ${overflow} pixels too wide`);
      assert.deepEqual(await page.evaluate(cut), [], `${name}, ${size}: cut off`);
      await page.evaluate(axe);
      const { violations } = await page.evaluate(() => globalThis.axe.run());
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`), [], `${name}, ${colorScheme}`);
    }
  }
}

/** Presses Tab until something is focused whose text or name this is. */
export async function tabTo(page, wanted) {
  for (let presses = 0; presses < 20; presses += 1) {
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      return element === document.body ? "" : `${element?.name ?? ""} ${element?.textContent ?? ""}`.trim();
    });
    if (at.includes(wanted)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`${wanted} cannot be reached with Tab`);
}

/** Types into the field of this name, which Tab has to reach. */
export const type = async (page, name, text) => {
  await tabTo(page, name);
  await page.keyboard.type(text);
};
