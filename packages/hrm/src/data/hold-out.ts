import type { Philox } from '@hrm-webgpu/core';

/**
 * Draws a test split from items, and takes those out of the rest that are copies of a test item.
 *
 * @param kind what copies of an item share
 * @returns `copies`: how many were taken out
 */
export function holdOut<T>(items: T[], count: number, kind: (item: T) => number, random: Philox) {
  const shuffled = random.shuffle(items.slice());
  const test = shuffled.slice(0, count);
  const tested = new Set(test.map(kind));
  const train = shuffled.slice(count).filter((item) => !tested.has(kind(item)));
  return { train, test, copies: shuffled.length - test.length - train.length };
}
