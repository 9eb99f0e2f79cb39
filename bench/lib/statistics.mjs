// The few numbers that a report needs of many.

/** The value below which the given part of all values lies, between two of them where need be. */
export function quantile(values, part) {
  const sorted = [...values].sort((a, b) => a - b);
  const place = (sorted.length - 1) * part;
  const [below, above] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]];
  return below + (above - below) * (place - Math.floor(place));
}

export const median = (values) => quantile(values, 0.5);

/** Half the width of the middle half of all values, as a part of the median: how far rounds differ. */
export const spread = (values) => (quantile(values, 0.75) - quantile(values, 0.25)) / 2 / median(values);

/** The order of a round: each round begins with another one, and every second round runs backwards. */
export function order(list, round) {
  const start = round % list.length;
  const turned = [...list.slice(start), ...list.slice(0, start)];
  return round % 2 === 0 ? turned : turned.reverse();
}
