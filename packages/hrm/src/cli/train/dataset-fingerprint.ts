import type { Split } from '../../data/dataset/dataset.ts';
import type { IntegerArray } from '../../data/dataset/npy.ts';
import { pieces } from '../../data/dataset/token-rows.ts';
import { breather } from '../../data/input/breather.node.ts';

/** Metadata and a checksum of the examples: enough to notice that a dataset was exchanged. */
export async function fingerprint({ metadata, sets }: Split): Promise<string> {
  const breathe = breather();
  let sum = 0;
  for (const { inputs, labels } of sets.values()) {
    for (const rows of [inputs, labels]) {
      for (const { tokens } of pieces(rows)) {
        sum = addTokens(sum, tokens);
        await breathe();
      }
    }
  }
  return `${JSON.stringify(metadata)} ${sum >>> 0}`;
}

function addTokens(sum: number, tokens: IntegerArray): number {
  for (let i = 0; i < tokens.length; i++) sum = (Math.imul(sum, 31) + tokens[i]) | 0;
  return sum;
}
