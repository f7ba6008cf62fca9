const ONE_LANE =
  'a shortcut: with one lane the loop does nothing, and the value is read back from where it was put';
const FIRST_BLOCK = 'the first block multiplies it by exp(−huge) = 0';
const PAST_PRIVATE =
  'adapters take an index past a private array for its last, for which the same is done once more; WGSL allows others too';
const NEIGHBOURS = "one more is a neighbour's, which stores the same number";
const LAST_ROW = 'threads of rows past the end repeat the last one, and would store the same numbers';

const TILE_PAST = 'one more tile has keys past the end alone, whose weights are 0';
const QUERIES_PAST = 'one more tile has queries past the end alone, for which q and do are zeros';
const OWNED_PAST = 'what is owned ends behind the head, which the guard within leaves out';
const TILE_END =
  'adapters take an index past the tile for its last, which is padding that nobody reads; WGSL allows others too';
const CHUNK_PAST = 'one more chunk is past the end of the head, and is loaded as zeros';
const STAGED_OVER =
  'one more round stores where the same thread, before the barrier, stores what belongs there';
const SLICE_PAST =
  'what is stored past the slice nobody reads, nor the last of the tile, for which adapters take an index past it';
const SAME_BY_COLUMN = 'every column of a row has the same number and would store it again';

const NO_INFINITIES =
  'exp is infinite there, and what is divided by it the 0 that is right; but WGSL may take it that there are no infinities';
const SERIES_MEETS = 'where the two ways meet, both are right within a rounding';
const SMALL_TERM =
  'a hundredth of that term is six roundoffs at most, and what goes into the series may be off by as much';
const FAR_OUT =
  'a hundredth of that term is four roundoffs at most, five standard deviations out, and what goes into the series may be off by as much';
const LAST_TERM = 'a hundredth of the last term is far below a rounding: the series ends where it may';
const STABLE_AT_0 = 'both ways are 1 at 0';

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
  residual_rms_norm_backward: {
    'guard removed: LANES == 1u → false in if (LANES == 1u) {': ONE_LANE,
    'guard removed: row >= params.rows → false in if (row >= params.rows) {': LAST_ROW,
    'bound shifted: >= → > in if (row >= params.rows) {': LAST_ROW,
  },
  row_distance: {
    'guard removed: LANES == 1u → false in if (LANES == 1u) {': ONE_LANE,
  },
  latent_noise: {
    'bound shifted: < → <= in if (w < 5) {': SERIES_MEETS,
    'constant weakened: 2.00214257e-4 → 0.00020221639957 in p = -2.00214257e-4;': FAR_OUT,
    'constant weakened: 1.00950558e-4 → 0.00010196006358 in p = 1.00950558e-4 + p * t;': FAR_OUT,
  },
  q_head_backward_weight: {
    'guard removed: column == 0 → true in if (column == 0) {':
      'every column has the same sum and would store the same number',
  },
  q_targets: {
    'clamp removed: min(-value, 80) → (-value) in targets[2 * row + 1] = 1 / (1 + exp(min(-value, 80)));':
      NO_INFINITIES,
  },
  transpose: {
    'bound shifted: < → <= in for (var j = 0u; j < BLOCK; j++) {': NEIGHBOURS,
    'bound shifted: < → <= in for (var i = 0u; i < BLOCK; i++) {': NEIGHBOURS,
  },
  matmul_workgroup: {
    'bound shifted: < → <= in for (var k0 = begin + TILE_K; k0 < end + TILE_K; k0 += TILE_K) {':
      'one more turn has no terms: what was stored of B are zeros',
    'bound shifted: < → <= in for (var r = 0u; r < ROWS; r++) { (2)': PAST_PRIVATE,
    'bound shifted: < → <= in for (var p = 0u; p < PACKS; p++) { (3)': PAST_PRIVATE,
  },
  attention_workgroup: {
    'bound shifted: < → <= in for (var i = 0u; i < ROWS; i++) {': PAST_PRIVATE,
    'bound shifted: < → <= in for (var key0 = 0u; key0 < params.seq_len; key0 += KEYS) {': TILE_PAST,
    'bound shifted: < → <= in for (var chunk = 0u; chunk < HEAD_PACKS; chunk += CHUNK) {': CHUNK_PAST,
    'bound shifted: < → <= in for (var n = 0u; n < OWNED; n++) { (2)': OWNED_PAST,
    'guard removed: column == 0 → true in if (column == 0) {': SAME_BY_COLUMN,
    'bound shifted: < → <= in for (var round = 0u; round < COUNT; round += THREADS) {': STAGED_OVER,
    'bound shifted: < → <= in for (var round = 0u; round < COUNT; round += THREADS) { (2)': TILE_END,
    'bound shifted: < → <= in for (var round = 0u; round < COUNT; round += THREADS) { (3)': SLICE_PAST,
    'guard removed: COUNT % THREADS == 0 || n < COUNT → true in if (COUNT % THREADS == 0 || n < COUNT) {':
      SLICE_PAST,
    'bound shifted: < → <= in if (COUNT % THREADS == 0 || n < COUNT) {': SLICE_PAST,
  },
  attention_workgroup_backward_query: {
    'bound shifted: < → <= in for (var key0 = 0u; key0 < params.seq_len; key0 += KEYS) {': TILE_PAST,
    'bound shifted: < → <= in for (var chunk = 0u; chunk < HEAD_PACKS; chunk += CHUNK) {': CHUNK_PAST,
    'bound shifted: < → <= in for (var n = 0u; n < OWNED; n++) {': OWNED_PAST,
    'guard removed: column == 0 → true in if (column == 0) {': SAME_BY_COLUMN,
    'bound shifted: < → <= in for (var round = 0u; round < COUNT; round += THREADS) {': STAGED_OVER,
    'bound shifted: < → <= in for (var round = 0u; round < COUNT; round += THREADS) { (2)': STAGED_OVER,
    'bound shifted: < → <= in for (var round = 0u; round < COUNT; round += THREADS) { (3)': TILE_END,
    'bound shifted: < → <= in for (var round = 0u; round < COUNT; round += THREADS) { (4)': SLICE_PAST,
    'guard removed: COUNT % THREADS == 0 || n < COUNT → true in if (COUNT % THREADS == 0 || n < COUNT) {':
      SLICE_PAST,
    'bound shifted: < → <= in if (COUNT % THREADS == 0 || n < COUNT) {': SLICE_PAST,
  },
  attention_workgroup_backward_key: {
    'bound shifted: < → <= in for (var query0 = 0u; query0 < params.seq_len; query0 += QUERIES) {':
      QUERIES_PAST,
    'bound shifted: < → <= in for (var chunk = 0u; chunk < HEAD_PACKS; chunk += CHUNK) {': CHUNK_PAST,
    'bound shifted: < → <= in for (var n = 0u; n < OWNED; n++) {': OWNED_PAST,
    'bound shifted: < → <= in for (var round = 0u; round < COUNT; round += THREADS) {': STAGED_OVER,
    'bound shifted: < → <= in for (var round = 0u; round < COUNT; round += THREADS) { (2)': TILE_END,
    'bound shifted: < → <= in for (var round = 0u; round < COUNT; round += THREADS) { (3)': TILE_END,
    'bound shifted: < → <= in for (var round = 0u; round < COUNT; round += THREADS) { (4)': SLICE_PAST,
    'guard removed: COUNT % THREADS == 0 || n < COUNT → true in if (COUNT % THREADS == 0 || n < COUNT) {':
      SLICE_PAST,
    'bound shifted: < → <= in if (COUNT % THREADS == 0 || n < COUNT) {': SLICE_PAST,
    'bound shifted: < → <= in for (var round = 0u; round < COUNT; round += THREADS) { (5)': SLICE_PAST,
    'guard removed: COUNT % THREADS == 0 || n < COUNT → true in if (COUNT % THREADS == 0 || n < COUNT) { (2)':
      SLICE_PAST,
    'bound shifted: < → <= in if (COUNT % THREADS == 0 || n < COUNT) { (2)': SLICE_PAST,
  },
  attention_subgroup_backward_key: {
    'guard removed: group.x * GROUP + local.x > last → false in if (group.x * GROUP + local.x > last) {':
      'keys past the end repeat the last one, and would store the same numbers',
  },
  attention_subgroup_backward_query: {
    'guard removed: group.x * GROUP + local.x > last → false in if (group.x * GROUP + local.x > last) {':
      'queries past the end repeat the last one, and would store the same numbers',
  },
  roofline_fma: {
    'start shifted: 0u → 1u in for (var done = 0u; done < params.fmas; done += CHAINS * UNROLL) {':
      'a turn is many fmas long: from 1 on there are as many turns',
  },
  attention: {
    'constant weakened: 0.0 → 0.01 in var total = 0.0;': FIRST_BLOCK,
    'bound shifted: < → <= in for (var key0 = 0u; key0 < params.seq_len; key0 += BLOCK) {':
      'one more block has no keys, raises no maximum, and multiplies by exp(0) = 1',
  },
  attention_subgroup: {
    'clamp removed: min(c * LANES + lane % LANES, BLOCK * HEAD_PACKS - 1) → (c * LANES + lane % LANES) in let share = min(c * LANES + lane % LANES, BLOCK * HEAD_PACKS - 1);':
      'what lanes load beyond a block is not shuffled to anybody, and its key is clamped once more',
    'constant weakened: 0.0 → 0.01 in var total = 0.0;': FIRST_BLOCK,
    'bound shifted: < → <= in for (var key0 = 0u; key0 < params.seq_len; key0 += BLOCK) {':
      'one more block has keys past the end alone, whose weights are 0',
    'bound shifted: < → <= in for (var c = 0u; c < LOADS; c++) { (2)': PAST_PRIVATE,
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
  bce_logits: {
    'bound shifted: > → >= in if (x > 0.01) {': SERIES_MEETS,
    'constant weakened: 0.01 → 0.0101 in if (x > 0.01) {': SERIES_MEETS,
    'constant weakened: 3.0 → 3.0300000000000002 in return x * (1 - x * (0.5 - x * (1.0 / 3.0 - x * 0.25)));':
      SMALL_TERM,
    'constant weakened: 1.0 → 1.01 in return x * (1 - x * (0.5 - x * (1.0 / 3.0 - x * 0.25)));': SMALL_TERM,
    'constant weakened: 0.25 → 0.2525 in return x * (1 - x * (0.5 - x * (1.0 / 3.0 - x * 0.25)));': LAST_TERM,
  },
  bce_logits_backward: {
    'clamp removed: min(-x[i], 80) → (-x[i]) in dx[i] = d_loss[i] * (1 / (1 + exp(min(-x[i], 80))) - targets[i]);':
      NO_INFINITIES,
  },
  cross_entropy: {
    'constant weakened: 3.0 → 3.0300000000000002 in return x * (1 - x * (0.5 - x * (1.0 / 3.0 - x * 0.25)));':
      SMALL_TERM,
    'bound shifted: > → >= in if (x > 0.01) {': SERIES_MEETS,
    'constant weakened: 0.01 → 0.0101 in if (x > 0.01) {': SERIES_MEETS,
    'constant weakened: 0.25 → 0.2525 in return x * (1 - x * (0.5 - x * (1.0 / 3.0 - x * 0.25)));': LAST_TERM,
    'bound shifted: < → <= in return select(x + 1, 1 / (1 - x), x < 0);': STABLE_AT_0,
  },
  cross_entropy_backward: {
    'bound shifted: < → <= in return select(x + 1, 1 / (1 - x), x < 0);': STABLE_AT_0,
  },
  swiglu: {
    'clamp removed: min(-gate, pack(80)) → (-gate) in y[i] = gate / (1 + exp(min(-gate, pack(80)))) * up;':
      NO_INFINITIES,
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
  row_norm: {
    'guard removed: LANES == 1u → false in if (LANES == 1u) {': ONE_LANE,
  },
  mean: {
    'guard removed: LANES == 1u → false in if (LANES == 1u) {': ONE_LANE,
  },
};
