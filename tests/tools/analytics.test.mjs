// Lines of the log as data points: the columns that docs/operations.md describes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { journalOf, pointOf } from "../../src/edge/analytics.js";
import { root } from "../../tools/project.mjs";

const LINE = {
  request_id: "SyhGePEysSmM006L",
  target: "orders-list",
  decision: "allow",
  issuer: "production",
  client: "c1",
  principal: "p".repeat(43),
  ms: 7,
};

test("a line has its columns, and what it lacks is empty", () => {
  assert.deepEqual(pointOf(LINE), { indexes: ["orders-list"], blobs: ["allow", "", "c1", "production", "", ""], doubles: [0, 7] });
  const denied = { decision: "deny", reason: "lack_claim", claim: "exp", status: 401 };
  assert.deepEqual(pointOf(denied), { indexes: [""], blobs: ["deny", "lack_claim", "", "", "", "exp"], doubles: [401, 0] });
});

test("what is longer than a column is cut, and no request or principal is named", () => {
  const { indexes, blobs } = pointOf({ ...LINE, target: "t".repeat(500), client: "c".repeat(16_000) });
  assert.deepEqual([indexes[0].length, blobs[2].length], [96, 256]);
  const text = JSON.stringify(pointOf(LINE));
  assert.ok(!text.includes(LINE.request_id) && !text.includes(LINE.principal), text);
});

test("the manual has every column, in this order", () => {
  const manual = readFileSync(join(root, "docs", "operations.md"), "utf8").split("### Data points")[1].split("###")[0];
  const columns = [...manual.matchAll(/^\| `(\w+\d)` \| `(\w+)`/gm)].map(([, column, what]) => [column, what]);
  const said = pointOf(Object.fromEntries(columns.map(([column, what]) => [what, column.startsWith("double") ? Number(column.at(-1)) : column])));
  assert.deepEqual(said, { indexes: ["index1"], blobs: [1, 2, 3, 4, 5, 6].map((n) => `blob${n}`), doubles: [1, 2] });
});

test("each line is printed and becomes one point, and a data set that fails is nobody's trouble", async (context) => {
  const [print, complain] = ["log", "error"].map((name) => context.mock.method(console, name, () => {}));
  const points = [];
  journalOf({ writeDataPoint: (point) => void points.push(point) })(JSON.stringify(LINE));
  assert.deepEqual([points, print.mock.calls[0].arguments], [[pointOf(LINE)], [JSON.stringify(LINE)]]);
  const failing = () => {
    throw new Error("full");
  };
  journalOf({ writeDataPoint: failing })(JSON.stringify(LINE));
  journalOf({ writeDataPoint: async () => failing() })(JSON.stringify(LINE));
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(complain.mock.calls.map((call) => call.arguments), [["analytics", "full"], ["analytics", "full"]]);
  assert.equal(print.mock.callCount(), 3);
});
