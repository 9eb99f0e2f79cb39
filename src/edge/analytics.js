// Data points of Workers Analytics Engine, for a deployment that has a data set.

/** Longer texts are cut: a `client_id` of another issuer may be as long as a token. */
const LONGEST = 256;
/** What an index may have, in bytes: all that stands there is ASCII. */
const LONGEST_INDEX = 96;

/** A line of the log in the columns of docs/operations.md, whose order is never changed. */
export function pointOf({ target = "", decision = "", reason = "", client = "", issuer = "", op = "", claim = "", status = 0, ms = 0 }) {
  return {
    indexes: [target.slice(0, LONGEST_INDEX)],
    blobs: [decision, reason, client, issuer, op, claim].map((text) => text.slice(0, LONGEST)),
    doubles: [status, ms],
  };
}

/** What takes the lines of the log: they are printed, and each becomes a data point. One that is not taken costs no request. */
export const journalOf = (dataset) => (line) => {
  console.log(line);
  const failed = (error) => console.error("analytics", String(error?.message));
  try {
    dataset.writeDataPoint(pointOf(JSON.parse(line)))?.catch?.(failed);
  } catch (error) {
    failed(error);
  }
};
