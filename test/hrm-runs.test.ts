/** `hrm runs` and `hrm report`: what they say of folders, whole and broken ones. No GPU. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, reasonToSkip } from './browser/chromium.ts';
import { type HrmResult, hrm as run } from './run-hrm.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-runs-'));
const at = (...names: string[]) => join(folder, ...names);
const hrm = (...args: string[]): Promise<HrmResult> =>
  run(args, { env: { VK_DRIVER_FILES: '/nonexistent.json' } });

const STEPS = 40;
const START = Date.UTC(2026, 0, 2, 3, 4, 5);

interface Made {
  seed: number;
  lr?: number;
  total?: number;
}

/** A run of 40 steps, 10 of them a second, with evaluations after 20 and 40. */
function make(name: string, { seed, lr = 0.002, total = STEPS }: Made): void {
  mkdirSync(at('runs', name), { recursive: true });
  const write = (file: string, text: string) => writeFileSync(at('runs', name, file), text);
  const lines = (entries: object[]) => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');
  const time = (step: number) => new Date(START + 100 * step).toISOString();
  write('all_config.yaml', `arch:\n  hidden_size: 64\nlr: ${lr}\nseed: ${seed}\ntotal_steps: ${total}\n`);
  const steps = Array.from({ length: STEPS }, (_, i) => ({
    ...{ kind: 'train', step: i + 1, time: time(i + 1), lr, halted: 4 },
    ...{
      accuracy: 0.5,
      exact_accuracy: i / STEPS,
      q_halt_accuracy: 1,
      steps: 2,
      lm_loss: 1 + seed / 10,
      q_halt_loss: 0.1,
    },
  }));
  const evaluations = [20, 40].map((step) => ({
    ...{ kind: 'evaluation', step, time: time(step), split: 'test', count: 100 },
    ...{
      accuracy: 0.9,
      exact_accuracy: step === 20 ? 0.75 : 0.5,
      lm_loss: 0.2,
      q_halt_accuracy: 1,
      steps: 4,
    },
  }));
  write('log.jsonl', `${lines([...steps, ...evaluations])}{"kind":"train","st`);
  write(
    'sessions.jsonl',
    lines([
      {
        time: time(0),
        step: 0,
        changes: {},
        environment: { node: '20', adapter: { description: 'a <b>GPU</b>\u001b[31m' } },
      },
    ]),
  );
  const grid = [3, 2, 4, 5, 5, 4, 2, 3, 2, 3, 5, 4, 4, 5, 3, 2];
  const puzzle = grid.map((token, i) => (i % 5 ? token : 1));
  write(
    'samples.jsonl',
    lines([
      { task: 'sudoku', inputs: [puzzle], labels: [grid] },
      { step: 20, answers: [puzzle.map(() => 2)] },
      { step: 40, answers: [grid] },
    ]),
  );
  for (const step of [20, 40]) write(`checkpoint-${step}.safetensors`, 'x'.repeat(1000 * step));
}

beforeAll(() => {
  make('b-10', { seed: 1 });
  make('b-9', { seed: 2 });
  make('other', { seed: 1, lr: 0.001, total: 80 });
  mkdirSync(at('runs', 'no-run'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('hrm runs', () => {
  it('lists runs in a folder', async () => {
    const { code, stdout, stderr } = await hrm('runs', at('runs'));
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(
      stdout
        .split('\n')
        .map((line) => line.trim().split(/ {2,}/))
        .slice(0, 4),
    ).toEqual([
      ['run', 'state', 'steps', 'best', 'last', 'size', 'age'],
      ['b-9', 'done', '40/40', '75.0 %', '50.0 %', expect.stringMatching(/kB$/), 'now'],
      ['b-10', 'done', '40/40', '75.0 %', '50.0 %', expect.stringMatching(/kB$/), 'now'],
      ['other', 'stopped', '40/80', '75.0 %', '50.0 %', expect.stringMatching(/kB$/), 'now'],
    ]);
  });

  it('gives them as JSON', async () => {
    const found = JSON.parse((await hrm('runs', at('runs', 'other'), '--json')).stdout);
    expect(found).toMatchObject([
      {
        state: 'stopped',
        step: 40,
        total_steps: 80,
        best: { step: 20, exact_accuracy: 0.75 },
        last: { step: 40 },
      },
    ]);
  });

  it('compares them: what differs, and nothing else', async () => {
    const { stdout } = await hrm('runs', 'compare', at('runs', 'b-9'), at('runs', 'other'), '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      settings: { lr: [0.002, 0.001], seed: [2, 1] },
      figures: {
        best_exact_accuracy: [0.75, 0.75],
        best_at_step: [20, 20],
        last_train_lm_loss: [expect.closeTo(1.2), expect.closeTo(1.1)],
        steps_per_second: [expect.closeTo(10), expect.closeTo(10)],
      },
    });
    expect(Object.keys(JSON.parse(stdout).settings).sort()).toEqual(['lr', 'seed']);
  });

  it('cleans: shows first, removes when told to, and keeps what is needed', async () => {
    writeFileSync(at('runs', 'b-9', 'checkpoint-40.safetensors.0123abcd.tmp'), 'half');
    const shown = await hrm('runs', 'clean', at('runs', 'b-9'));
    expect(shown.stdout).toMatch(
      /could go: .*checkpoint-20.*\n.*0123abcd\.tmp.*\n20\.0 kB could be freed; --yes removes it/,
    );
    expect(existsSync(at('runs', 'b-9', 'checkpoint-20.safetensors'))).toBe(true);
    expect((await hrm('runs', 'clean', at('runs', 'b-9'), '--yes')).stdout).toMatch(/20\.0 kB freed/);
    expect(existsSync(at('runs', 'b-9', 'checkpoint-20.safetensors'))).toBe(false);
    expect(existsSync(at('runs', 'b-9', 'checkpoint-40.safetensors'))).toBe(true);
  });

  it.each([
    [['runs', 'nowhere'], /nowhere: no such folder/],
    [['runs', 'FOLDER/runs/no-run'], /no-run: holds no run/],
    [['runs', 'compare', 'FOLDER/runs/b-9'], /expected two runs or more/],
    [['runs', 'compare', 'FOLDER/runs/b-9', 'FOLDER/runs/no-run'], /no-run: holds no run/],
    [['runs', 'clean'], /expected one folder or more/],
    [['report'], /expected a run, or several/],
    [['report', 'FOLDER/runs/no-run'], /no-run: holds no run/],
    [['report', 'FOLDER/runs/b-9', 'FOLDER/runs/b-10'], /name the file with --out FILE/],
  ])('%j is one sentence', async (args, message) => {
    const result = await hrm(...args.map((word) => word.replace('FOLDER', folder)));
    expect(result).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
  });
});

describe('hrm report', () => {
  const write = async (...names: string[]) => {
    const out = at(`${names.join('-')}.html`);
    const result = await hrm('report', ...names.map((name) => at('runs', name)), '--out', out);
    expect(result).toMatchObject({ code: 0, stdout: `wrote ${out}\n` });
    return { out, html: readFileSync(out, 'utf8') };
  };

  it('says how well a run did, with intervals, and where', async () => {
    const { html } = await write('other');
    expect(html).toContain('75.0 % of 100, 95 %: 65.7 % to 82.5 %');
    expect(html).toContain('stopped, step 40 of 80');
    expect(html).toContain('a &#60;b&#62;GPU&#60;/b&#62;');
    expect(html).not.toContain('\u001b');
    expect(html).not.toMatch(/<script|\son\w+=|https?:\/\/(?!www\.w3\.org)/);
  });

  it('shows answers over time, wrong cells marked', async () => {
    const { html } = await write('b-10');
    expect(html).toMatch(/<th>puzzle<\/th><th>step 20<\/th><th>step 40<\/th><th>solution<\/th>/);
    const cells = html.match(/<td>.*?<\/td>/g)?.filter((cell) => cell.includes('svg class="grid"')) ?? [];
    expect(cells.map((cell) => cell.split('class="wrong"').length - 1)).toEqual([0, 12, 0, 0]);
  });

  it('lays runs over each other, and seeds as a band', async () => {
    const { html } = await write('b-9', 'b-10', 'other');
    expect(html).toContain('b-9 and 1 more seeds');
    expect(html).toContain('Bands: from the least to the greatest of several seeds.');
  });

  it('draws the accuracies alone, beside those of others', async () => {
    const curve = at('curve.json');
    writeFileSync(
      curve,
      JSON.stringify({
        curve: [
          { step: 10, exact_accuracy: 0.1 },
          { step: 40, exact_accuracy: 0.9 },
        ],
      }),
    );
    const svg = at('curves.svg');
    const options = [
      '--svg',
      svg,
      '--title',
      'Two & one',
      '--curve',
      `theirs=${curve}`,
      '--curve',
      `theirs=${curve}`,
    ];
    expect(await hrm('report', at('runs', 'other'), ...options)).toMatchObject({ code: 0 });
    const drawn = readFileSync(svg, 'utf8');
    expect(drawn).toContain('<title>Two &amp; one</title>');
    expect(drawn.match(/>theirs</g)).toHaveLength(1);
    expect(drawn.match(/>other</g)).toHaveLength(1);
  });

  it.each([
    ['nonsense', /expected LABEL=FILE/],
    ['a=FOLDER/runs/other/log.jsonl', /log\.jsonl: .*expected JSON \{"curve"/],
    ['a=FOLDER/none', /none: .*no such file/],
  ])('refuses the curve %s', async (curve, message) => {
    const args = [at('runs', 'other'), '--svg', at('x.svg'), '--curve', curve.replace('FOLDER', folder)];
    expect(await hrm('report', ...args)).toMatchObject({ code: 1, stderr: expect.stringMatching(message) });
  });

  it('is a page that breaks no policy of its own', async (context) => {
    const reason = reasonToSkip();
    if (reason) return context.skip(reason);
    const { out } = await write('b-9', 'other');
    const browser = await launchChromium();
    const page = await browser.newPage();
    const said: string[] = [];
    page.on('console', (message) => said.push(message.text()));
    await page.goto(`file://${out}`);
    expect(await page.getByText('exact accuracy').first().isVisible()).toBe(true);
    // The style of the page is in force: policies that forbid it leave the browser's own.
    expect(await page.evaluate(() => getComputedStyle(document.body).maxWidth)).not.toBe('none');
    expect(said).toEqual([]);
    await browser.close();
  });
});
