/** What a person may choose of a training run: in plain words, with the published names, and what is refused. */

/** All of it decides what comes out: the same settings on the same adapter give the same bits. */
export interface Settings {
  steps: number;
  lr: number;
  batch: number;
  puzzles: number;
  minBlanks: number;
  maxBlanks: number;
  evalEvery: number;
  heldOut: number;
  seed: number;
}

export interface Field {
  name: keyof Settings;
  /** What it is, for who has never trained anything. */
  words: string;
  /** What configurations and papers call it. */
  published: string;
  least: number;
  most: number;
  /** Whether fractions make sense. */
  fraction?: boolean;
  /** Whether it is shown among those that few change. */
  rare?: boolean;
}

export const FIELDS: readonly Field[] = [
  { name: 'steps', words: 'How many corrections it makes', published: 'steps', least: 1, most: 20_000 },
  {
    name: 'lr',
    words: 'How large each correction is',
    published: 'lr, the learning rate',
    least: 1e-6,
    most: 0.1,
    fraction: true,
  },
  {
    name: 'batch',
    words: 'How many puzzles it looks at for each',
    published: 'global_batch_size',
    least: 1,
    most: 128,
  },
  {
    name: 'puzzles',
    words: 'How many different puzzles it learns from',
    published: 'size of the training set',
    least: 1,
    most: 20_000,
  },
  { name: 'minBlanks', words: 'Fewest blanks of a puzzle', published: '--blanks', least: 1, most: 10 },
  { name: 'maxBlanks', words: 'Most blanks of a puzzle', published: '--blanks', least: 1, most: 10 },
  {
    name: 'evalEvery',
    words: 'Corrections between two examinations',
    published: '--eval-every',
    least: 1,
    most: 20_000,
    rare: true,
  },
  {
    name: 'heldOut',
    words: 'Puzzles of an examination, which it never learns from',
    published: 'size of the test set',
    least: 1,
    most: 512,
    rare: true,
  },
  {
    name: 'seed',
    words: 'Which dice are rolled',
    published: 'seed',
    least: 0,
    most: 2 ** 31 - 1,
    rare: true,
  },
];

/** The recipe of `npm run demo`; shorter on a software adapter, where a step in a browser takes many times as long as in Node. */
export function defaultSettings(software: boolean): Settings {
  return {
    steps: software ? 600 : 1500,
    lr: 0.002,
    batch: 16,
    puzzles: 3000,
    minBlanks: 4,
    maxBlanks: 8,
    evalEvery: 50,
    heldOut: 64,
    seed: 0,
  };
}

/** What was typed, by field. */
export type Typed = Record<keyof Settings, string>;

export type Checked =
  | { settings: Settings; problems?: undefined }
  | { settings?: undefined; problems: Partial<Record<keyof Settings, string>> };

/** The settings that were typed, or a sentence for each field that holds something else. */
export function checkTyped(typed: Typed): Checked {
  const problems: Partial<Record<keyof Settings, string>> = {};
  const settings = {} as Settings;
  for (const field of FIELDS) {
    const text = typed[field.name].trim();
    settings[field.name] = text === '' ? Number.NaN : Number(text);
    const problem = problemOf(field, text, settings[field.name]);
    if (problem) problems[field.name] = problem;
  }
  const { puzzles, batch, minBlanks, maxBlanks } = settings;
  if (!problems.puzzles && puzzles < batch)
    problems.puzzles = `${puzzles} puzzles do not fill one look of ${batch}: learn from at least ${batch}, or look at fewer.`;
  if (!problems.maxBlanks && maxBlanks < minBlanks)
    problems.maxBlanks = `The most blanks, ${maxBlanks}, must not be fewer than the fewest, ${minBlanks}.`;
  return Object.keys(problems).length > 0 ? { problems } : { settings };
}

function problemOf({ words, least, most, fraction }: Field, text: string, value: number): string | undefined {
  const range = `from ${least} to ${most.toLocaleString('en')}`;
  if (text === '') return `${words}: give a number ${range}.`;
  if (Number.isNaN(value)) return `${words}: “${text.slice(0, 20)}” is no number; give one ${range}.`;
  if (!fraction && !Number.isInteger(value)) return `${words}: give a whole number ${range}, not ${value}.`;
  if (value < least || value > most)
    return `${words}: ${value} is too ${value < least ? 'small' : 'large'}; give a number ${range}.`;
  return undefined;
}

export function typedOf(settings: Settings): Typed {
  return Object.fromEntries(FIELDS.map(({ name }) => [name, String(settings[name])])) as Typed;
}

/** What an address asks for, as if it had been typed; the defaults for the rest. */
export function typedFrom(params: URLSearchParams, defaults: Settings): Typed {
  const typed = typedOf(defaults);
  for (const { name } of FIELDS) typed[name] = params.get(name) ?? typed[name];
  return typed;
}

/** As parameters of an address: only what differs from the defaults. */
export function typedParams(typed: Typed, defaults: Settings): Record<string, string | undefined> {
  const usual = typedOf(defaults);
  return Object.fromEntries(
    FIELDS.map(({ name }) => [name, typed[name] === usual[name] ? undefined : typed[name]]),
  );
}
