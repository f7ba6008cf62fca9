/** A few examples as they are answered at each evaluation, for the report of a run. */
import { existsSync } from 'node:fs';
import type { Task } from '../../../../data/dataset/task-names.ts';
import type { Answer } from '../../../../evaluation/answers.ts';
import { writeFileAtomic } from '../../../../formats/files/atomic-write.node.ts';
import { readTextFile } from '../../../../formats/files/file-source.node.ts';
import { parseSamples, type SampledAnswers, type SampledExamples } from '../../../../runs/samples.ts';

/** The first of the evaluated examples. */
const SAMPLES = 4;
/** Longer ones are no grids that anybody looks at. */
const MOST_TOKENS = 1000;

export class SampleLog {
  private gathered: Answer[] = [];

  private constructor(
    private readonly path: string,
    private readonly task: Task,
    private examples: SampledExamples | undefined,
    private readonly over: SampledAnswers[],
  ) {}

  /** For a run that goes on after an evaluation at a step: what comes again is dropped. */
  static async open(path: string, task: Task, evaluatedStep: number): Promise<SampleLog> {
    const found = existsSync(path) ? parseSamples(await readTextFile(path)) : undefined;
    if (!found || found.task !== task) return new SampleLog(path, task, undefined, []);
    const { over, ...examples } = found;
    return new SampleLog(
      path,
      task,
      examples,
      over.filter(({ step }) => step <= evaluatedStep),
    );
  }

  /** Before an evaluation, which may be made again. */
  begin(): void {
    this.gathered = [];
  }

  /** Of an evaluation, in order. */
  add(answer: Answer): void {
    if (this.gathered.length < SAMPLES && answer.input.length <= MOST_TOKENS) this.gathered.push(answer);
  }

  /** Writes what was answered; what cannot be written is not worth a run. */
  async end(step: number): Promise<void> {
    if (this.gathered.length === 0) return;
    this.examples ??= {
      task: this.task,
      inputs: this.gathered.map(({ input }) => [...input]),
      labels: this.gathered.map(({ label }) => [...label]),
    };
    this.over.push({ step, answers: this.gathered.map(({ prediction }) => [...prediction]) });
    const lines = [this.examples, ...this.over].map((line) => `${JSON.stringify(line)}\n`);
    await writeFileAtomic(this.path, [new TextEncoder().encode(lines.join(''))]).catch(() => {});
  }
}
