import type { Device, Tensor } from '@hrm-webgpu/core';
import { openSafetensors } from '../../packages/hrm/src/formats/safetensors.ts';
import { evaluationCall } from '../../packages/hrm/src/model/act.ts';
import { Carry, uploadBatch } from '../../packages/hrm/src/model/carry.ts';
import { loadModel } from '../../packages/hrm/src/model/load.ts';
import { type OpenFile, openFixture } from '../../packages/hrm/src/parity/fixture.ts';

/** The parity bar for q after later segments: this much of the largest. */
const Q_BAR = 2e-4;

/**
 * Compares the answers of a trained model after each of four segments with those that the published implementation
 * recorded: all tokens equal, q within its bar. Returns what differs.
 *
 * @param rows how many of the recorded puzzles
 */
export async function comparePredictions(device: Device, open: OpenFile, rows: number): Promise<string[]> {
  const fixture = await openFixture(open);
  const source = await open('predictions.safetensors');
  if (!fixture.checkpoint || !source) throw new Error('the fixture has no checkpoint or no predictions');
  const recorded = await openSafetensors(source);
  const model = await loadModel(device, fixture.model, fixture.checkpoint);
  const first = async (name: string) =>
    Int32Array.from((await recorded.read(name)) as Uint8Array).slice(0, rows * fixture.model.seq_len);
  const [inputs, labels] = [await first('inputs'), await first('labels')];
  const batch = uploadBatch(model, { inputs, labels, puzzleIdentifiers: new Int32Array(rows), rows });
  const carry = Carry.fresh(model, rows);
  const failures: string[] = [];
  for (let segment = 0; segment < 4; segment++) {
    const output = device.scope(() => evaluationCall(carry, batch));
    const expected = await first(`pred.${segment}`);
    const wrong = (await output.prediction.read()).filter((token, i) => token !== expected[i]).length;
    if (wrong > 0) failures.push(`segment ${segment}: ${wrong} of ${expected.length} tokens differ`);
    const reference = (await recorded.readF32(`q.${segment}`)).slice(0, 2 * rows);
    const scale = reference.reduce((a, b) => Math.max(a, Math.abs(b)), 1);
    const error = (await output.q.readF32()).reduce(
      (worst, q, i) => Math.max(worst, Math.abs(q - reference[i])),
      0,
    );
    if (!(error < Q_BAR * scale))
      failures.push(`segment ${segment}: q is off by ${error}, allowed ${Q_BAR * scale}`);
    for (const tensor of Object.values(output)) (tensor as Tensor).dispose();
  }
  carry.dispose();
  model.dispose();
  for (const tensor of Object.values(batch)) (tensor as Tensor).dispose();
  await recorded.close();
  await fixture.close();
  return failures;
}
