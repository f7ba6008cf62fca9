import {
  integerArray,
  type KernelCheck,
  positiveSums,
  UNIT_ROUNDOFF,
  uniformArray,
} from '../checks/check.ts';
import { type Kernel, linearGrid } from '../kernel.ts';
import { row_loss as text } from '../shaders.gen.ts';
import { IGNORED_LABEL } from './cross_entropy.ts';

export type RowLossParams = { batch: number; labels_len: number };

export const rowLoss: Kernel<RowLossParams> = {
  name: 'row_loss',
  text,
  workgroups: ({ batch }, { GROUP }) => linearGrid(batch, GROUP),
  flops: ({ batch, labels_len }) => batch * labels_len,
  bytes: ({ batch, labels_len }) => 12 * batch * labels_len,
};

export const check: KernelCheck<RowLossParams> = {
  kernel: rowLoss,
  cases: [
    { batch: 1, labels_len: 1 },
    { batch: 197, labels_len: 13 },
    { batch: 3, labels_len: 900 },
  ],
  // Row 1 has no valid label at all.
  inputs({ batch, labels_len }, random) {
    const labels = integerArray(random, batch * labels_len, 3);
    for (let i = 0; i < labels.length; i++) {
      if (i % 7 === 6 || Math.floor(i / labels_len) === 1) labels[i] = IGNORED_LABEL;
    }
    return {
      token_loss: uniformArray(random, labels.length).map((loss, i) =>
        labels[i] === IGNORED_LABEL ? 0 : 1 + loss,
      ),
      prediction: integerArray(random, labels.length, 3),
      labels,
    };
  },
  outputs: ({ batch }) => ({ loss: [batch], count: [batch], correct: [batch] }),
  integers: ['count', 'correct'],
  reference({ token_loss, prediction, labels }, { batch, labels_len }) {
    const loss = new Float64Array(batch);
    const count = new Float64Array(batch);
    const correct = new Float64Array(batch);
    labels.forEach((label, i) => {
      const row = Math.floor(i / labels_len);
      loss[row] += token_loss[i];
      count[row] += label === IGNORED_LABEL ? 0 : 1;
      correct[row] += label === prediction[i] ? 1 : 0;
    });
    for (let row = 0; row < batch; row++) loss[row] /= Math.max(count[row], 1);
    return { loss, count, correct };
  },
  // Rows are not alike: the largest loss is a quarter above the others, and more where rows are many (100 draws).
  tolerance: ({ batch, labels_len }, { division }) =>
    (1 + 0.75 * positiveSums(labels_len, batch) + division) * UNIT_ROUNDOFF,
};
