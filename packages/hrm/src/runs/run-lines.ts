/** Lines of a run's `log.jsonl` and `sessions.jsonl`, as they are read. */
import { parseJson } from '../formats/json.ts';
import { isCount, isRecord } from '../formats/record-rules.ts';

/** Figures of a step or an evaluation under their published names; `time` in milliseconds since 1970, where the log tells. */
export interface Line {
  step: number;
  time?: number;
  figures: Readonly<Record<string, number>>;
}

export interface EvaluationLine extends Line {
  split: string;
}

/** One time that a run was begun or gone on with. */
export interface SessionLine {
  step: number;
  time?: number;
  /** Settings that were changed, by published key. */
  changes: Readonly<Record<string, unknown>>;
  environment: Readonly<Record<string, unknown>>;
}

/** What a log holds; what is no whole line of one is passed over, as after a crash. */
export interface RunLines {
  steps: Line[];
  evaluations: EvaluationLine[];
}

export function parseLog(text: string): RunLines {
  const lines: RunLines = { steps: [], evaluations: [] };
  for (const entry of recordsIn(text)) {
    const { kind, split } = entry;
    const line = lineOf(entry);
    if (!line) continue;
    if (kind === 'train') lines.steps.push(line);
    else if (kind === 'evaluation') lines.evaluations.push({ ...line, split: String(split) });
  }
  return lines;
}

export function parseSessions(text: string): SessionLine[] {
  return [...recordsIn(text)].flatMap((entry) => {
    const { step, time, changes, environment } = entry;
    if (!isCount(step)) return [];
    const recordOr = (value: unknown) => (isRecord(value) ? value : {});
    return [
      {
        step: step as number,
        time: timeOf(time),
        changes: recordOr(changes),
        environment: recordOr(environment),
      },
    ];
  });
}

/** What a crash leaves is a line or two; in a file of nothing else there is nothing to be found, and each takes its time. */
const MOST_BROKEN = 1000;

/** The objects in a file of JSON Lines; what is no whole line of one is passed over. */
export function* recordsIn(text: string): Generator<Record<string, unknown>> {
  let broken = 0;
  for (const line of text.split('\n')) {
    if (!line.startsWith('{')) continue;
    let entry: unknown;
    try {
      entry = parseJson(line);
    } catch {
      if (++broken > MOST_BROKEN) return;
      continue;
    }
    if (isRecord(entry)) yield entry;
  }
}

function lineOf({ step, time, ...rest }: Record<string, unknown>): Line | undefined {
  if (!isCount(step)) return undefined;
  const figures = Object.fromEntries(
    Object.entries(rest).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
  return { step: step as number, time: timeOf(time), figures };
}

function timeOf(text: unknown): number | undefined {
  const time = Date.parse(String(text));
  return Number.isNaN(time) ? undefined : time;
}
