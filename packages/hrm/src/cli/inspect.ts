import { statSync } from 'node:fs';
import { type Examined, type ExaminedTensor, examine } from '../checkpoints/examine.ts';
import type { ModelFacts, TensorRole } from '../checkpoints/inspect.ts';
import { findCheckpoint, readContext } from '../checkpoints/model-file.node.ts';
import { fileSource } from '../formats/files/file-source.node.ts';
import { openTensorFile } from '../formats/open-checkpoint.ts';
import { quoted } from '../formats/quote.ts';
import type { TensorFile } from '../formats/tensor-file.ts';
import { sumTensor, type TensorSums } from '../formats/tensor-sums.ts';
import { describePart } from './announce-part.ts';
import { type Command, onePositional, parse } from './command.ts';
import { bold, byteSize, dim, green, print, printJson, red } from './terminal.ts';

export const inspect: Command = {
  summary: 'show the tensors, sizes and configuration of a checkpoint',
  help: `usage: hrm inspect <checkpoint or run folder> [--sums] [--json]

Lists what a checkpoint holds (one of this project's, or a published one) and whether it fits its configuration.
No GPU is needed; nothing in the file is executed. Exit code 1 when tensors and configuration contradict each other, or
--sums finds numbers that are not finite.

  --sums   also sum, mean, standard deviation, least and largest of each tensor (reads the whole file)
  --json   one JSON document on stdout; what is not a number is null`,

  async run(args) {
    const { values, positionals } = parse(args, { json: { type: 'boolean' }, sums: { type: 'boolean' } });
    const path = findCheckpoint(onePositional(positionals, 'one checkpoint or run folder'));
    const file = await openTensorFile(await fileSource(path));
    try {
      const found = await inspectFile(file, values.sums ?? false);
      if (values.json) printJson(found);
      else for (const line of [...summary(found), '', ...table(found.tensors)]) print(line);
      return found.problems.length === 0 ? 0 : 1;
    } finally {
      await file.close();
    }
  },
};

/** The document of --json. */
interface Inspection extends Examined {
  file: string;
  bytes: number;
  tensors: InspectedTensor[];
}

type InspectedTensor = ExaminedTensor & { sums?: TensorSums };

async function inspectFile(file: TensorFile, withSums: boolean): Promise<Inspection> {
  const { format, ...found } = examine(file, await readContext(file));
  const problems = [...found.problems];
  const tensors: InspectedTensor[] = [];
  for (const tensor of found.tensors) {
    const { name, dtype } = tensor;
    const sums = withSums ? await sumTensor(dtype, file.pieces(name)) : undefined;
    tensors.push({ ...tensor, ...(sums && { sums }) });
    if (sums && sums.nan + sums.infinite > 0) {
      problems.push(
        `${quoted(name)} holds numbers that are not finite: ${sums.nan} NaN, ${sums.infinite} infinite.`,
      );
    }
  }
  return { file: file.name, format, bytes: statSync(file.name).size, ...found, tensors, problems };
}

function summary(found: Inspection): string[] {
  const { file, format, bytes, part, tensors, model, task, training, problems } = found;
  const row = (label: string, text: string) => `${dim(label.padEnd(14))}${text}`;
  const sizes = new Map<TensorRole, number>();
  for (const tensor of tensors) sizes.set(tensor.role, (sizes.get(tensor.role) ?? 0) + tensor.bytes);
  const parts = [...sizes].map(([role, size]) => `${role} ${byteSize(size)}`).join(', ');
  return [
    `${bold(file)}  ${format}, ${byteSize(bytes)}, ${tensors.length} tensors`,
    '',
    ...(model
      ? describeModel(model).map(([label, text]) => row(label, text))
      : [row('model', 'none of its tensors is one of HRM')]),
    row('bytes', parts || 'none'),
    ...(part ? [row('weights', describePart(part))] : []),
    ...(task ? [row('task', task)] : []),
    ...describeConfig(found).map((text, i) => row(i === 0 ? 'configuration' : '', text)),
    row(
      'training',
      training ? `step ${training.step} of ${training.total_steps}; can be resumed` : 'weights only',
    ),
    ...(problems.length > 0
      ? problems.map((text) => red(text))
      : [
          row(
            'verdict',
            green(
              found.config ? 'tensors and configuration fit' : 'no configuration to compare the tensors with',
            ),
          ),
        ]),
  ];
}

function describeModel(model: ModelFacts): [string, string][] {
  const count = (n: number | undefined) => (n === undefined ? '?' : n.toLocaleString('en'));
  const { hidden_size, H_layers, L_layers, swiglu_width, positions } = model;
  const rows = model.num_puzzle_identifiers
    ? `${count(model.num_puzzle_identifiers)} × ${model.puzzle_emb_ndim}`
    : 'none';
  return [
    [
      'parameters',
      `${count(model.trunk_parameters)}, and ${count(model.puzzle_parameters)} in puzzle rows (${rows})`,
    ],
    ['size', `D ${count(hidden_size)}, SwiGLU ${count(swiglu_width)}, layers H ${H_layers}, L ${L_layers}`],
    ['vocabulary', count(model.vocab_size)],
    ['positions', positions === undefined ? 'rotary: any length' : `learned, ${count(positions)}`],
  ];
}

/** The configuration in lines that fit a terminal. */
function describeConfig({ config, config_from }: Inspection): string[] {
  if (!config) return ['none that belongs to it'];
  const words = Object.entries(config)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key} ${typeof value === 'string' ? quoted(value) : value}`);
  const lines = [`from ${config_from}:`];
  for (const word of words) {
    const last = lines[lines.length - 1];
    if (lines.length > 1 && last.length + word.length < 84) lines[lines.length - 1] = `${last}, ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** A line for each tensor, in columns. */
function table(tensors: readonly InspectedTensor[]): string[] {
  const withSums = tensors.some(({ sums }) => sums);
  const figures = withSums ? (['sum', 'mean', 'std', 'min', 'max'] as const) : [];
  const rows = tensors.map(({ name, dtype, shape, bytes, sums }) => [
    shownName(name),
    dtype,
    `[${shape.join(', ')}]`,
    byteSize(bytes),
    ...figures.map((figure) => shownNumber(sums?.[figure] ?? Number.NaN)),
  ]);
  const head = ['tensor', 'type', 'shape', 'size', ...figures];
  const widths = head.map((title, column) =>
    rows.reduce((width, row) => Math.max(width, row[column].length), title.length),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, i) => (i < 3 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ');
  return [dim(line(head)), ...rows.map(line)];
}

/** Names come from the file: anything but plain ones is escaped, lest it steers the terminal. */
function shownName(name: string): string {
  return /^[\w.:/-]{1,80}$/.test(name) ? name : quoted(name);
}

function shownNumber(value: number): string {
  if (Number.isNaN(value)) return '-';
  const plain = value === 0 || (Math.abs(value) >= 1e-3 && Math.abs(value) < 1e5);
  return plain ? value.toFixed(4) : value.toExponential(2);
}
