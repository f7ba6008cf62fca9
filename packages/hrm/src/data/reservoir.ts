import type { Philox } from '@hrm-webgpu/core';

/**
 * A sample of `size` items out of a stream of unknown length, each set of items equally likely (Vitter,
 * "Random sampling with a reservoir", 1985, algorithm R). All items if there are not that many.
 */
export class Reservoir<T> {
  readonly items: T[] = [];
  private seen = 0;

  constructor(
    private readonly size: number,
    private readonly random: Philox,
  ) {}

  offer(item: T): void {
    this.seen++;
    if (this.items.length < this.size) {
      this.items.push(item);
      return;
    }
    const place = this.random.below(this.seen);
    if (place < this.size) this.items[place] = item;
  }
}
