import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { readIdentifiers, readSplit } from '../../data/dataset/dataset.node.ts';
import type { DatasetSet, Split } from '../../data/dataset/dataset.ts';
import { writeFileAtomic } from '../../formats/files/atomic-write.node.ts';
import { fileError } from '../../formats/files/file-error.node.ts';
import { quoted } from '../../formats/quote.ts';
import { type Command, onePositional, parse, wholeNumber } from '../command.ts';
import { cropped, type GridKind, gridKind } from '../grids/grid-kind.ts';
import { drawPair } from '../grids/grid-view.ts';
import { chooseTask, TASK_NAMES } from '../task-option.ts';
import { bold, print } from '../terminal.ts';
import { datasetPage, type ShownExample } from './html.ts';
import { writePng } from './png.ts';

export const dataShow: Command = {
  summary: 'check a dataset, tell its sizes, draw examples',
  help: `usage: hrm data show DIR [--split NAME] [--count N] [--from N] [--task NAME]
                         [--columns N] [--html FILE] [--png FILE]

Checks every split of a dataset folder, prints its sizes and draws examples of one, input and label.

  --split NAME   the split to draw from; default train
  --count N      how many examples; default 1
  --from N       number of the first one, from 0; default 0
  --task NAME    ${TASK_NAMES}; default what the dataset says, or else what its sizes suggest
  --columns N    columns of a grid that is not square
  --html FILE    also write them to a page with pictures
  --png FILE     also write them to a picture`,

  async run(args) {
    const { values, positionals } = parse(args, {
      split: { type: 'string', default: 'train' },
      count: { type: 'string' },
      from: { type: 'string' },
      task: { type: 'string' },
      columns: { type: 'string' },
      html: { type: 'string' },
      png: { type: 'string' },
    });
    const dir = onePositional(positionals, 'one dataset folder');
    const count = wholeNumber('count', values.count, 0) ?? 1;
    const from = wholeNumber('from', values.from, 0) ?? 0;
    const columns = wholeNumber('columns', values.columns);
    const names = splitNames(dir);
    if (!names.includes(values.split)) {
      throw new UserError(`${dir}: has no split '${values.split}'. Splits: ${names.join(', ')}`);
    }
    const identifiers = await readIdentifiers(dir);
    const summary = [`${identifiers.length} puzzle identifiers: ${firstOf(identifiers)}`];
    let examples: ShownExample[] = [];
    for (const name of names) {
      const split = await readSplit(dir, name);
      try {
        checkIdentifiers(split, identifiers, join(dir, name));
        const { task, guessed } = chooseTask(values.task, split.metadata.task, split.metadata);
        const kind = gridKind(task, split.metadata.seq_len, columns);
        summary.push(...describe(name, split, kind, sizeOf(join(dir, name)), guessed));
        if (name === values.split) examples = examplesOf(split, kind, identifiers, from, count);
      } finally {
        split.close();
      }
    }
    print(bold(dir));
    for (const line of summary) print(line);
    for (const { title, kind, input, label } of examples) {
      print(`\n${bold(`${values.split}, ${title}`)}`);
      for (const line of drawPair(kind, input, label)) print(line);
    }
    if (values.html) {
      const page = datasetPage(dir, summary, examples);
      await writeFileAtomic(values.html, [new TextEncoder().encode(page)]);
      print(`\nwrote ${values.html}`);
    }
    if (values.png) {
      await writePng(values.png, examples);
      print(`\nwrote ${values.png}`);
    }
    return 0;
  },
};

/** Folders in `dir` that hold a split, train first. */
function splitNames(dir: string): string[] {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch (cause) {
    throw fileError('cannot read', dir, cause);
  }
  const splits = names
    .filter((name) => existsSync(join(dir, name, 'dataset.json')))
    .sort((a, b) => Number(b === 'train') - Number(a === 'train'));
  if (splits.length > 0) return splits;
  throw new UserError(`${dir}: holds no splits. Expected a dataset folder with train/dataset.json.`);
}

function checkIdentifiers({ metadata }: Split, identifiers: string[], folder: string): void {
  const { num_puzzle_identifiers } = metadata;
  if (num_puzzle_identifiers === identifiers.length) return;
  throw new UserError(
    `${folder}/dataset.json: num_puzzle_identifiers is ${num_puzzle_identifiers}, but identifiers.json has ` +
      `${identifiers.length} names. Build the dataset again.`,
  );
}

function firstOf(names: string[]): string {
  const first = names.slice(0, 3).map(quoted).join(', ');
  return names.length > 3 ? `${first}, …` : first;
}

function sizeOf(folder: string): string {
  const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function describe(
  name: string,
  { metadata, sets }: Split,
  { name: task, rows, columns }: GridKind,
  size: string,
  guessed: boolean,
): string[] {
  const { vocab_size, seq_len, pad_id, ignore_label_id } = metadata;
  const counts = [...sets].map(([set, { groupIndices, puzzleIdentifiers, inputs }]) => {
    const groups = groupIndices.length - 1;
    return `set ${set}: ${groups} groups, ${puzzleIdentifiers.length} puzzles, ${inputs.count} examples`;
  });
  return [
    `${name}: ${size}, seq_len ${seq_len} (${rows}×${columns}), vocab_size ${vocab_size}, pad_id ${pad_id}, ignore_label_id ${ignore_label_id}`,
    `  task ${task}${guessed ? ', by its sizes alone: see --task' : ''}`,
    ...counts.map((line) => `  ${line}`),
  ];
}

/** Examples `from` … of all sets in order. */
function examplesOf(
  split: Split,
  kind: GridKind,
  identifiers: string[],
  from: number,
  count: number,
): ShownExample[] {
  const { pad_id, ignore_label_id } = split.metadata;
  const shown: ShownExample[] = [];
  let passed = 0;
  for (const [name, set] of split.sets) {
    const examples = set.inputs.count;
    for (let i = Math.max(from - passed, 0); i < examples && shown.length < count; i++) {
      // What does not count looks like padding.
      const label = set.labels.read(i).map((token) => (token === ignore_label_id ? pad_id : token));
      const pair = cropped(kind, pad_id, { input: set.inputs.read(i).slice(), label });
      shown.push({ title: titleOf(name, set, i, identifiers), ...pair });
    }
    passed += examples;
  }
  if (from > 0 && from >= passed) throw new UserError(`--from ${from}: there are ${passed} examples`);
  return shown;
}

function titleOf(name: string, set: DatasetSet, example: number, identifiers: string[]): string {
  // The last offset that is not beyond; offsets of empty puzzles repeat.
  const puzzle = set.puzzleIndices.findLastIndex((offset) => offset <= example);
  const group = set.groupIndices.findLastIndex((offset) => offset <= puzzle);
  const identifier = set.puzzleIdentifiers[puzzle];
  return `set ${name}, group ${group}, puzzle ${puzzle}, example ${example}: ${quoted(identifiers[identifier])}`;
}
