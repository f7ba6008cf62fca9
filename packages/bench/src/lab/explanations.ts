const ONE_LANE =
  'a shortcut: with one lane the loop does nothing, and the value is read back from where it was put';
const LAST_ROW = 'threads of rows past the end repeat the last one, and would store the same numbers';

/**
 * Mutants that no input can show, by kernel and by what `lab mutate` calls them, and why. One that is found after all, or
 * that there is no more, makes `lab mutate` fail: an explanation must be true.
 */
export const explanations: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  residual_rms_norm: {
    'guard removed: LANES == 1u → false in if (LANES == 1u) {': ONE_LANE,
    'guard removed: lane == 0 → true in if (lane == 0) {':
      'every lane of a row has the same sum and would store the same number',
  },
  matmul_subgroup: {
    'bound shifted: < → <= in for (var k0 = 0u; k0 < params.k; k0 += BLOCK) {':
      'one more block has no terms: the loop within ends at params.k',
  },
  matmul: {
    'guard removed: column0 >= columns || row0 >= end → false in if (column0 >= columns || row0 >= end) {':
      'a shortcut: rows and columns past the edge repeat the last one and are not stored',
    'bound shifted: >= → > in if (column0 >= columns || row0 >= end) {':
      'a shortcut: rows and columns past the edge repeat the last one and are not stored',
    'bound shifted: >= → > in if (column0 >= columns || row0 >= end) { (2)':
      'a shortcut: rows and columns past the edge repeat the last one and are not stored',
    'bound shifted: < → <= in for (var k0 = 0u; k0 < params.k; k0 += BLOCK) {':
      'one more block has no terms: the loop within ends at params.k',
  },
  swiglu: {
    'clamp removed: min(-gate, pack(80)) → (-gate) in y[i] = gate / (1 + exp(min(-gate, pack(80)))) * up;':
      'exp is infinite there, and gate divided by it the 0 that is right; but WGSL may take it that there are no infinities',
  },
  adam_atan2: {
    'bound shifted: > → >= in let upper = t > pack(0.4142135623);':
      'where the two ways meet, both are right within a rounding',
    'bound shifted: > → >= in return sign(y) * select(angle, 1.5707963268 - angle, a > x);':
      'where |y| = x the angle is π/4, which is π/2 less itself',
    'constant weakened: 0.4142135623 → 0.418355697923 in let upper = t > pack(0.4142135623);':
      'the polynomial is right within a rounding a little beyond tan(π/8) too',
  },
  act_explore: {
    'clamp removed: max(params.max_steps - 1, 1) → (params.max_steps - 1) in min_steps[row] = select(1, 2 + words.y % max(params.max_steps - 1, 1), params.max_steps > 1);':
      'with max_steps 1 the remainder is not selected, and WGSL gives one for a divisor of 0',
  },
  relu: {
    'bound shifted: < → <= in y[i] = select(x[i], pack(0), x[i] < pack(0));':
      'it makes 0 of −0, which are equal',
  },
  softmax: {
    'guard removed: LANES == 1u → false in if (LANES == 1u) {': ONE_LANE,
    'guard removed: LANES == 1u → false in if (LANES == 1u) { (2)': ONE_LANE,
    'guard removed: row >= params.rows → false in if (row >= params.rows) {': LAST_ROW,
    'bound shifted: >= → > in if (row >= params.rows) {': LAST_ROW,
  },
  softmax_backward: {
    'guard removed: LANES == 1u → false in if (LANES == 1u) {': ONE_LANE,
    'guard removed: row >= params.rows → false in if (row >= params.rows) {': LAST_ROW,
    'bound shifted: >= → > in if (row >= params.rows) {': LAST_ROW,
  },
  mean: {
    'guard removed: LANES == 1u → false in if (LANES == 1u) {': ONE_LANE,
  },
};
