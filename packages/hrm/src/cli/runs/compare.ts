import { UserError } from '@hrm-webgpu/core';
import { LENGTH_KEY } from '../../model/parse-config.ts';
import { type RunFolder, readRunFolder } from '../../runs/run-folder.node.ts';
import { type Command, parse } from '../command.ts';
import { table } from '../table.ts';
import { percent, print, printJson } from '../terminal.ts';

export const compareRuns: Command = {
  summary: 'what sets runs apart',
  help: `usage: hrm runs compare RUN RUN… [--json]

Prints the settings that differ between runs, and how well each did: exact accuracy of the best and the last evaluation, the loss of
the last steps, steps a second (by the times in the log).`,

  async run(args) {
    const { values, positionals } = parse(args, { json: { type: 'boolean', default: false } });
    if (positionals.length < 2) throw new UserError('expected two runs or more. See --help.');
    const runs = [];
    for (const path of positionals) runs.push(await readRunFolder(path));
    const compared = comparedRuns(runs);
    if (values.json) printJson(compared);
    else for (const line of asText(runs, compared)) print(line);
    return 0;
  },
};

/** Rows of values, one for each run; null where a run has none. */
interface Compared {
  runs: string[];
  settings: Record<string, unknown[]>;
  figures: Record<string, (number | null)[]>;
}

function comparedRuns(runs: readonly RunFolder[]): Compared {
  const keys = new Set(runs.flatMap(({ settings }) => [...settings.keys()]));
  const settings: Compared['settings'] = {};
  for (const key of keys) {
    const values = runs.map((run) => run.settings.get(key) ?? null);
    const isSame = values.every((value) => JSON.stringify(value) === JSON.stringify(values[0]));
    if (key !== LENGTH_KEY && !isSame) settings[key] = values;
  }
  const of = (pick: (run: RunFolder) => number | undefined) => runs.map((run) => pick(run) ?? null);
  return {
    runs: runs.map(({ path }) => path),
    settings,
    figures: {
      steps: of(({ step }) => step),
      best_exact_accuracy: of(({ best }) => best?.figures.exact_accuracy),
      best_at_step: of(({ best }) => best?.step),
      last_exact_accuracy: of(({ evaluations }) => evaluations.at(-1)?.figures.exact_accuracy),
      last_train_lm_loss: of(lastLoss),
      steps_per_second: of(stepsPerSecond),
    },
  };
}

/** Steps that the last loss is the mean of. */
const LAST = 50;

function lastLoss({ steps }: RunFolder): number | undefined {
  const losses = steps.slice(-LAST).map(({ figures }) => figures.lm_loss);
  return losses.length === 0 ? undefined : losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

/**
 * From the times between lines, the middle one: evaluations and pauses do not count. Lines come in bunches, as metrics are read so; a
 * bunch is as long as its first line is after the one before.
 */
function stepsPerSecond({ steps }: Pick<RunFolder, 'steps'>): number | undefined {
  const rates: number[] = [];
  let [begun, made]: [number | undefined, number] = [undefined, 0];
  for (const { time } of steps) {
    if (time === undefined) continue;
    if (begun !== undefined && time > begun) {
      rates.push((1000 * made) / (time - begun));
      made = 0;
    }
    if (begun === undefined || time > begun) begun = time;
    made++;
  }
  rates.sort((a, b) => a - b);
  return rates[Math.floor(rates.length / 2)];
}

function asText(runs: readonly RunFolder[], { settings, figures }: Compared): string[] {
  const names = runs.map(({ name }) => name);
  const shown = (value: unknown) => (value === null ? '–' : String(value));
  const number = (name: string, value: number | null) => {
    if (value === null) return '–';
    if (name.endsWith('accuracy')) return percent(value);
    return Number.isInteger(value) ? String(value) : value.toPrecision(3);
  };
  const rows = [
    ...Object.entries(settings).map(([key, values]) => [key, ...values.map(shown)]),
    ...Object.entries(figures).map(([key, values]) => [key, ...values.map((value) => number(key, value))]),
  ];
  return table(['', ...names], rows);
}
