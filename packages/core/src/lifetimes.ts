/** When something of `bytes` is needed: from command `first` to command `last`, both included. */
export interface Lifetime {
  bytes: number;
  first: number;
  last: number;
}

/** Places for a set of lifetimes. */
export interface Placement {
  /** Sizes of the places in bytes. */
  places: number[];
  /** The place of each lifetime, in the order given. */
  placeOf: number[];
}

/**
 * Finds few places for many lifetimes: no two that overlap share one. Greedy by size: the largest goes first, each into
 * the smallest place that is free for its time. Pisarchyk & Lee, "Efficient memory management for deep neural net
 * inference", arXiv 2001.03288, §4.2, where it comes within a few per cent of the lower bound.
 */
export function placeLifetimes(lifetimes: readonly Lifetime[]): Placement {
  // Of equal size, the one that begins first: so many places of that size as are needed at once, and no more.
  const order = lifetimes.map((_, i) => i);
  order.sort(
    (a, b) => lifetimes[b].bytes - lifetimes[a].bytes || lifetimes[a].first - lifetimes[b].first || a - b,
  );
  const places: { bytes: number; taken: Lifetime[] }[] = [];
  const placeOf: number[] = new Array(lifetimes.length);
  for (const i of order) {
    const lifetime = lifetimes[i];
    // Places are made from the largest to the smallest, so the last one that is free wastes least.
    let at = places.findLastIndex(({ taken }) => taken.every((other) => !overlap(other, lifetime)));
    if (at < 0) at = places.push({ bytes: lifetime.bytes, taken: [] }) - 1;
    places[at].taken.push(lifetime);
    placeOf[i] = at;
  }
  return { places: places.map(({ bytes }) => bytes), placeOf };
}

function overlap(a: Lifetime, b: Lifetime): boolean {
  return a.first <= b.last && b.first <= a.last;
}
