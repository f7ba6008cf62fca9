/** What else than itself a difference between two orders of summation may stand for. */
export const ORDERS_MARGIN = 4;
/** However far apart the two orders are, nobody may be further from the reference than so many bars. */
const WIDEST = 10;

/**
 * What is allowed where a trace has had time to drift: the bar, and four times what another order of summation makes of
 * the same training.
 *
 * @param difference how far apart the two orders are, in the units of `bar`
 */
export function envelope(difference: number, bar: number): number {
  return Math.min(ORDERS_MARGIN * difference + bar, WIDEST * bar);
}
