import { UserError } from '@hrm-webgpu/core';
import { type ArcCounts, buildArcDataset } from '../../data/arc/arc-dataset.node.ts';
import { readArcTasks } from '../../data/arc/arc-source.node.ts';
import { type Command, parse, wholeNumber } from '../command.ts';
import { untilInterrupted } from '../interrupt.ts';
import { ProgressBar, print } from '../terminal.ts';
import { outFolder, speed } from './build.ts';

export const dataArc: Command = {
  summary: 'ARC-AGI and ConceptARC tasks',
  help: `usage: hrm data arc <folder or file>… --out DIR [--augment N] [--seed N]

Builds an ARC dataset in the published format from tasks as they are published:

  a folder       ARC-AGI/data, ARC-AGI-2/data, ConceptARC/corpus: <folder>/<any name>/*.json, or else <folder>/*.json
  a file         one task; many by their names, as the ARC Prize's arc-agi_training_challenges.json, with the outputs of
                 arc-agi_training_solutions.json beside it; or a list of pairs, as re-arc's, all to train on

The test pairs of tasks in a folder 'evaluation' or 'test', or a file *_evaluation_challenges.json or
*_test_challenges.json, make the test split and may lack their output; all other pairs train.

  --out DIR      the dataset's folder; must not exist
  --augment N    turned, mirrored and recoloured copies of each task; default 1000
  --seed N       of the random numbers; default 0`,

  async run(args) {
    const { values, positionals: folders } = parse(args, {
      out: { type: 'string' },
      augment: { type: 'string' },
      seed: { type: 'string' },
    });
    if (folders.length === 0) throw new UserError('give one or more folders or files of tasks. See --help.');
    const out = outFolder(values.out);
    const augment = wholeNumber('augment', values.augment, 0) ?? 1000;
    const seed = wholeNumber('seed', values.seed, 0) ?? 0;
    const sources = await readArcTasks(folders);
    const bar = new ProgressBar('tasks');
    const started = performance.now();
    const onProgress = (done: number, { trainExamples, testExamples }: ArcCounts) => {
      const rate = (trainExamples + testExamples) / ((performance.now() - started) / 1000);
      bar.update(done, sources.length, `${Math.round(rate)} examples/s`);
    };
    return untilInterrupted(async (signal) => {
      try {
        const counts = await buildArcDataset(out, sources, { augment, seed, onProgress, signal });
        bar.clear();
        for (const line of summary(sources.length, augment, counts)) print(line);
        print(`wrote ${out} in ${speed(counts.trainExamples + counts.testExamples, started)}`);
        return 0;
      } finally {
        bar.clear();
      }
    });
  },
};

function summary(tasks: number, augment: number, counts: ArcCounts): string[] {
  const lines = [
    `${tasks} tasks, ${counts.puzzles} puzzles with their copies`,
    `train ${counts.trainExamples} examples, test ${counts.testExamples}`,
  ];
  if (counts.incomplete > 0) {
    lines.push(`${counts.incomplete} tasks are so symmetric that they have fewer than ${augment} copies`);
  }
  return lines;
}
