import { type Device, openDevice } from '@hrm-webgpu/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TensorFile } from '../packages/hrm/src/formats/tensor-file.ts';
import { loadModel } from '../packages/hrm/src/model/load.ts';
import { type Fixture, openFixture, type Trace } from '../packages/hrm/src/parity/fixture.ts';
import { folderFiles } from '../packages/hrm/src/parity/folder.node.ts';
import { ownOrder } from '../packages/hrm/src/parity/opposite-order.ts';
import { runParity } from '../packages/hrm/src/parity/parity.ts';
import { readStep, TraceRun } from '../packages/hrm/src/parity/trace/trace-run.ts';
import { comparePredictions } from './portability/predictions.ts';

const folder = (name: string) => new URL(`fixtures/${name}`, import.meta.url).pathname;

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.close());

const EVAL = (segments: number) => Array.from({ length: segments }, (_, i) => `eval, segment ${i}`);
const GRAD = ['grad, losses and metrics', 'grad, outputs', 'grad, carry', 'grad, gradients'];
const TRACE = [
  'trace, metrics',
  'trace, losses to step 5',
  'trace, learning rates',
  'trace, halting',
  'trace, tensors after step 1',
  'trace, puzzle rows after step 1',
  'trace, losses after',
  'trace, tensors after the last step',
  'trace, puzzle rows after the last step',
];

describe('parity with the published implementation', () => {
  it.each([
    ['tiny-rope', [...EVAL(4), ...GRAD, ...TRACE]],
    ['tiny-learned', [...EVAL(4), ...GRAD, ...TRACE]],
    ['tiny-explore', [...EVAL(6), ...GRAD, ...TRACE]],
    ['tiny-overfit', [...EVAL(4), ...GRAD, ...TRACE]],
    ['tiny-solved', [...EVAL(4), ...GRAD, ...TRACE]],
    ['full-27m', EVAL(2)],
  ])('%s', async (name, groups) => {
    const fixture = await openFixture(folderFiles(folder(name)));
    const rows = await runParity(device, fixture);
    await fixture.close();
    expect(rows.filter(({ ok }) => !ok)).toEqual([]);
    expect(rows.map(({ group }) => group)).toEqual(groups);
    expect(rows.flatMap(({ remarks = [] }) => remarks)).toEqual([]); // all halting is judged
    // Every segment but the first has its errors on the engine's own states beside it, where it starts from published ones.
    const besides = name === 'full-27m' ? [] : groups.filter((group) => /segment [^0]/.test(group));
    expect(rows.filter(({ free }) => free).map(({ group }) => group)).toEqual(besides);
    expect(device.tensors.size).toBe(0);
  });
});

type Changes = Record<string, (values: Float32Array) => Float32Array>;

/** The checkpoint with some weights changed. */
function withWeights({ checkpoint }: Fixture, changes: Changes): TensorFile {
  const file = checkpoint as TensorFile;
  return {
    ...file,
    async *piecesF32(name) {
      if (changes[name]) yield changes[name](await file.readF32(name));
      else yield* file.piecesF32(name);
    },
  };
}

/** An array of a fixture's files, an element of it (of a list: the step from 1), and the group that it belongs to. */
type Place = [array: string, element: number, group: string];

it('stops when it is told to', async () => {
  const fixture = await openFixture(folderFiles(folder('tiny-rope')));
  const reason = new Error('enough');
  await expect(runParity(device, fixture, undefined, AbortSignal.abort(reason))).rejects.toBe(reason);
  await fixture.close();
  expect(device.tensors.size).toBe(0);
});

describe('a number of a fixture that is off by 0.01', () => {
  const OFF = 0.01;

  /** The file with one element off in each of its tensors that are among the places. */
  function tampered(file: TensorFile | undefined, places: Place[]): TensorFile {
    const whole = file as TensorFile;
    return {
      ...whole,
      async readF32(name) {
        const values = await whole.readF32(name);
        for (const [array, element] of places) if (array === name) values[element] += OFF;
        return values;
      },
    };
  }

  /** The lists with one number off in each that is among the places: of the first row, where it has one for each row. */
  function tamperedLists(lists: Trace, places: Place[]): Trace {
    const changed = structuredClone(lists);
    for (const [name, step] of places) {
      const list = changed[name];
      const entry = list?.[step - 1];
      if (typeof entry === 'number') list[step - 1] = entry + OFF;
      else if (entry) entry[0] += OFF;
    }
    return changed;
  }

  // Each run has a place in half of the groups: every group is seen to fail by its own place, and to pass beside others.
  it.each<{ places: Place[] }>([
    {
      places: [
        ['eval.0.logits', 7, 'eval, segment 0'],
        ['eval.2.q_halt_logits', 3, 'eval, segment 2'],
        ['metric.accuracy', 0, 'grad, losses and metrics'],
        ['carry.steps', 2, 'grad, carry'],
        ['exact_accuracy', 9, 'trace, metrics'],
        ['puzzle_emb_lr', 6, 'trace, learning rates'],
        ['1.after.embed_tokens.embedding_weight', 40, 'trace, tensors after step 1'],
        ['q_halt_loss', 12, 'trace, losses after'],
        ['20.after.puzzle_emb.weights', 33, 'trace, puzzle rows after the last step'],
      ],
    },
    {
      places: [
        ['eval.1.q_continue_logits', 0, 'eval, segment 1'],
        ['eval.3.z_L', 1000, 'eval, segment 3'],
        ['out.target_q_continue', 1, 'grad, outputs'],
        ['grad.H_level.layers.0.self_attn.o_proj.weight', 99, 'grad, gradients'],
        ['lm_loss', 2, 'trace, losses to step 5'],
        ['steps_carry', 20, 'trace, halting'],
        ['1.after.puzzle_emb.weights', 33, 'trace, puzzle rows after step 1'],
        ['20.after.L_level.layers.0.mlp.gate_up_proj.weight', 5000, 'trace, tensors after the last step'],
      ],
    },
  ])('is seen in its group and in no other ($places.length groups)', async ({ places }) => {
    const fixture = await openFixture(folderFiles(folder('tiny-rope')));
    const trace = fixture.trace as NonNullable<Fixture['trace']>;
    const rows = await runParity(device, {
      ...fixture,
      eval: tampered(fixture.eval, places),
      grad: tampered(fixture.grad, places),
      trace: {
        ...trace,
        tensors: tampered(trace.tensors, places),
        lists: tamperedLists(trace.lists, places),
      },
    });
    await fixture.close();
    const failed = rows.filter(({ ok }) => !ok);
    expect(failed.map(({ group }) => group)).toEqual(places.map(([, , group]) => group));
    places.forEach(([array], i) => {
      expect(failed[i].where).toContain(array.replace(/^(eval\.\d+|\d+\.after|metric|out|grad|carry)\./, ''));
    });
  });

  it('is seen in a published state both by its own segment and by the next, which starts from it', async () => {
    const fixture = await openFixture(folderFiles(folder('tiny-rope')));
    const state: Place = ['eval.1.z_H', 12, ''];
    const rows = await runParity(device, { ...fixture, eval: tampered(fixture.eval, [state]) }, ['eval']);
    await fixture.close();
    const failed = rows.filter(({ ok }) => !ok).map(({ group }) => group);
    expect(failed).toEqual(['eval, segment 1', 'eval, segment 2']);
  });
});

describe('an implementation that is a little wrong', () => {
  const tensors = ['trace, tensors after step 1'];
  const puzzleRows = ['trace, puzzle rows after step 1'];
  const thousandth = {
    'L_level.layers.0.mlp.down_proj.weight': (w: Float32Array) => w.map((x) => 1.001 * x),
  };

  it.each<{
    wrong: string;
    of?: string;
    model?: Partial<Fixture['model']>;
    train?: Partial<Fixture['train']>;
    weights?: Changes;
    groups: string[];
  }>([
    { wrong: 'a weight off by a thousandth', weights: thousandth, groups: EVAL(4) },
    // Of weights that have learned: 1e-6 instead of 1e-5 is within the rounding of others.
    { wrong: 'eps of RMSNorm 1e-6', of: 'tiny-solved', model: { rms_norm_eps: 1e-6 }, groups: EVAL(1) },
    { wrong: 'the base of RoPE off by 1 %', model: { rope_theta: 10_100 }, groups: EVAL(4) },
    { wrong: 'the learning rate off by 1 %', train: { lr: 1.01e-3 }, groups: tensors },
    { wrong: 'β₁ and β₂ swapped', train: { beta1: 0.95, beta2: 0.9 }, groups: tensors },
    { wrong: 'weight decay off by 10 %', train: { weight_decay: 0.11 }, groups: tensors },
    { wrong: 'the rate of puzzle rows off by 1 %', train: { puzzle_emb_lr: 1.01e-2 }, groups: puzzleRows },
    { wrong: 'their decay off by 10 %', train: { puzzle_emb_weight_decay: 0.11 }, groups: puzzleRows },
  ])('$wrong: is seen', async ({ of = 'tiny-rope', model, train, weights, groups }) => {
    const fixture = await openFixture(folderFiles(folder(of)));
    const wrong: Fixture = {
      ...fixture,
      model: { ...fixture.model, ...model },
      train: { ...fixture.train, ...train },
      checkpoint: weights ? withWeights(fixture, weights) : fixture.checkpoint,
      trace: { ...(fixture.trace as NonNullable<Fixture['trace']>), steps: 1 },
    };
    const rows = await runParity(device, wrong, [groups[0].slice(0, groups[0].indexOf(','))]);
    await fixture.close();
    const failed = rows.filter(({ ok }) => !ok).map(({ group }) => group);
    expect(failed).toEqual(expect.arrayContaining(groups));
  });
});

describe('a row whose halting rounding decides', () => {
  /** The difference of q_halt and q_continue of row 0 in the first step of the fixture's trace. */
  async function firstGap(fixture: Fixture): Promise<number> {
    const model = await loadModel(device, fixture.model, fixture.checkpoint as TensorFile);
    const run = new TraceRun(model, fixture, ownOrder);
    const { q } = await run.step(await readStep(fixture, 1));
    run.dispose();
    model.dispose();
    return q[0] - q[1];
  }

  /** The fixture with a trace of so many steps that this engine made, row 0 halting in the first step as it is told. */
  async function retraced(fixture: Fixture, steps: number, halts: boolean): Promise<Fixture> {
    const { tensors } = fixture.trace as NonNullable<Fixture['trace']>;
    const model = await loadModel(device, fixture.model, fixture.checkpoint as TensorFile);
    const run = new TraceRun(model, fixture, ownOrder);
    const lists: Record<string, (number | number[])[]> = {};
    const after = new Map<string, Float32Array>();
    for (let step = 1; step <= steps; step++) {
      const { sums, halted, steps: counts } = await run.step(await readStep(fixture, step));
      if (step === 1) halted[0] = halts ? 1 : 0;
      run.setHalted(halted);
      const entries = { ...sums, halted: [...halted], steps_carry: [...counts] };
      for (const [name, entry] of Object.entries(entries)) lists[name] = [...(lists[name] ?? []), entry];
      for (const [name, values] of await run.weights()) after.set(`${step}.after.${name}`, values);
    }
    run.dispose();
    model.dispose();
    const readF32 = async (name: string) => after.get(name) ?? tensors.readF32(name);
    return { ...fixture, trace: { tensors: { ...tensors, readF32 }, lists: lists as Trace, steps } };
  }

  it.each([true, false])(
    'goes the published way (halts: %s), is named, and lets the others be judged',
    async (halts) => {
      const whole = await openFixture(folderFiles(folder('tiny-rope')));
      const gap = await firstGap(whole);
      const checkpoint = withWeights(whole, {
        'q_head.bias': ([halt, go]) => Float32Array.of(halt - gap, go),
      });
      const fixture = await retraced({ ...whole, checkpoint }, 7, halts);
      const rows = await runParity(device, fixture, ['trace']);
      await whole.close();
      expect(rows.filter(({ ok }) => !ok)).toEqual([]);
      const halting = rows.find(({ group }) => group === 'trace, halting');
      expect(halting?.remarks).toEqual([
        expect.stringMatching(/^row 0 is not judged from step 1 on: q_halt − q_continue = /),
      ]);
      expect(halting).toMatchObject({ compared: 15, error: 0.25, allowed: 0.5 });
    },
  );

  it('is a failure where that is most of them', async () => {
    const whole = await openFixture(folderFiles(folder('tiny-rope')));
    const half = (values: Float32Array) => values.map((_, i) => values[i % (values.length / 2)]);
    const checkpoint = withWeights(whole, { 'q_head.weight': half, 'q_head.bias': half });
    const fixture = await retraced({ ...whole, checkpoint }, 2, false);
    const rows = await runParity(device, fixture, ['trace']);
    await whole.close();
    const failed = rows.filter(({ ok }) => !ok);
    expect(failed).toMatchObject([
      { group: 'trace, halting', where: 'share of 8 row-steps not judged', error: 1, allowed: 0.5 },
    ]);
    expect(failed[0].remarks?.length).toBe(4);
  });
});

it('a trained 6×6 model gives the published predictions after every segment', async () => {
  // The first 32 of its 256 puzzles: enough to see any mistake, an eighth of the time.
  expect(await comparePredictions(device, folderFiles(folder('trained-6x6')), 32)).toEqual([]);
  expect(device.tensors.size).toBe(0);
});
