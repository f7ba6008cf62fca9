/** What the lab shows: lines of 80 columns. */
import { styleText } from 'node:util';
import { rooflineShare } from '../../timing/roofline.ts';
import { type Findings, problemIn } from './inspection.ts';

const LABEL = 11;
const WIDTH = 80;

/** Everything that is known, as lines. `busy` is what goes on. */
export function draw(findings: Findings, title: string, busy: string | undefined): string[] {
  const { skipped, timing, uncommitted, verdict } = findings;
  const lines = [headline(findings.kernel, title, verdict)];
  if (skipped) lines.push(...row('left out', skipped));
  else
    lines.push(
      ...row('compiled', compiled(findings)),
      ...row('right', right(findings)),
      ...gradientsText(findings),
    );
  if (timing) lines.push(...fast(findings, timing));
  if (findings.badges)
    lines.push(...row('portable', badgesText(findings.badges) + (busy ? dim(' · …') : '')));
  if (uncommitted) lines.push(...row('', dim(`no committed version: ${uncommitted}`)));
  if (busy) lines.push(...row('', dim(busy)));
  return lines;
}

function headline(kernel: string, title: string, verdict: Findings['verdict']): string {
  const word = verdict ? coloured(verdict) : dim('…');
  const room = WIDTH - kernel.length - (verdict ?? '…').length - 2;
  return title
    ? `${bold(kernel)} ${word}${title.padStart(Math.max(title.length + 2, room))}`
    : `${bold(kernel)} ${word}`;
}

function compiled({ refused, first, failure }: Findings): string {
  if (refused) return red(refused);
  return first || failure ? 'yes' : dim('…');
}

function right(findings: Findings): string {
  const { refused, first, named, covering } = findings;
  if (refused) return dim('–');
  const problem = problemIn(findings);
  if (problem) return red(problem);
  const best = covering ?? named ?? first;
  if (!best) return dim('…');
  const cases = (first?.cases ?? 0) + (named?.cases ?? 0) + (covering?.cases ?? 0);
  const margin = Math.max(...[first, named, covering].map((reply) => reply?.margin ?? 0));
  const what = covering
    ? 'in all pairs of settings'
    : named
      ? 'in the settings that the check names'
      : 'so far';
  return `${cases} ${cases === 1 ? 'case' : 'cases'} ${what}, in either order; errors up to ${percent(margin)} of what is allowed`;
}

/** Nothing for kernels that are part of no differentiable op. */
function gradientsText({ gradients }: Findings): string[] {
  if (!gradients || gradients.problem || gradients.ops.length === 0) return [];
  if (gradients.remark) return row('', `but ${gradients.remark}`);
  const ops = gradients.ops.join(', ');
  return row(
    '',
    `gradients of ${ops} as differences say, off by up to ${percent(gradients.margin)} of what is allowed`,
  );
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;

function fast(
  { coldMs, roofline, stopped }: Findings,
  { ms, gflops, gbs, against, rivals, shape }: NonNullable<Findings['timing']>,
): string[] {
  const rates = `${significant(ms)} ms · ${significant(gflops)} GFLOP/s · ${significant(gbs)} GB/s at ${shape}`;
  const lines = row('fast', rates);
  if (coldMs !== undefined) lines.push(...row('', `${significant(coldMs)} ms with cold caches`));
  if (roofline) {
    const work = { flops: gflops * ms * 1e6, bytes: gbs * ms * 1e6 };
    const { share, bound } = rooflineShare(work, ms, roofline);
    lines.push(...row('', `${percent(share)} of what the roofline allows, which is bound by ${bound}`));
  }
  against.forEach((one, i) => {
    const text =
      'problem' in one
        ? `not timed against ${rivals[i]}: ${one.problem}`
        : `${one.ratio.toFixed(3)} [${one.low.toFixed(3)}, ${one.high.toFixed(3)}] × the time of ${rivals[i]}`;
    lines.push(...row('', text));
  });
  if (stopped)
    lines.push(...row('', red('more than ten times as long: stopped there, with other cases untried')));
  return lines;
}

function badgesText(badges: NonNullable<Findings['badges']>): string {
  return badges
    .map(({ name, problem, skipped }) => {
      if (problem) return red(`${name} ✗`);
      return skipped ? dim(`${name} –`) : `${name} ${green('✓')}`;
    })
    .join(' · ');
}

/** A label, and text beside it, over lines where it is long. Lines of the text stay lines: some have a caret. */
function row(label: string, text: string): string[] {
  const lines = text.split('\n').flatMap((line) => wrapped(line, WIDTH - LABEL));
  return lines.map((line, i) => (i === 0 ? label : '').padEnd(LABEL) + line);
}

function wrapped(line: string, width: number): string[] {
  if (visible(line) <= width || /^\s/.test(line)) return [line];
  const lines: string[] = [''];
  for (const word of line.split(' ')) {
    const last = lines[lines.length - 1];
    if (last && visible(`${last} ${word}`) > width) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what terminals are coloured with
const visible = (text: string) => text.replace(/\x1b\[[0-9;]*m/g, '').length;
const significant = (value: number) => Number(value.toPrecision(3)).toString();

const style = (name: Parameters<typeof styleText>[0]) => (text: string) =>
  process.env.NO_COLOR || !process.stdout.isTTY ? text : styleText(name, text);
const bold = style('bold');
const dim = style('dim');
const red = style('red');
const green = style('green');

function coloured(verdict: NonNullable<Findings['verdict']>): string {
  if (verdict === 'wrong' || verdict === 'slower') return red(verdict);
  return verdict === 'faster' ? green(verdict) : verdict;
}

/** Draws over what was drawn before, in a terminal; elsewhere, lines that are new. */
export class Screen {
  private drawn: string[] = [];

  constructor(private readonly out: NodeJS.WriteStream = process.stdout) {}

  /** Begins below what stands there. */
  begin(): void {
    this.drawn = [];
  }

  show(lines: readonly string[]): void {
    if (this.out.isTTY) {
      const up = this.drawn.length > 0 ? `\x1b[${this.drawn.length}A\r\x1b[J` : '';
      this.out.write(`${up}${lines.join('\n')}\n`);
    } else {
      for (const line of lines)
        if (!this.drawn.includes(line) && !line.includes('…')) this.out.write(`${line}\n`);
    }
    this.drawn = [...lines];
  }
}
