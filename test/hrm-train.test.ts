import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hrm } from './run-hrm.ts';
import { writeSmallDataset } from './small-dataset.ts';

const folder = mkdtempSync(join(tmpdir(), 'hrm-train-'));
const data = join(folder, 'data');

beforeAll(() => writeSmallDataset(data));
afterAll(() => rmSync(folder, { recursive: true }));

const TINY = [
  ...['hidden_size=32', 'num_heads=2', 'H_layers=1', 'L_layers=1', 'puzzle_emb_ndim=32', 'halt_max_steps=3'],
].flatMap((setting) => ['--set', `arch.${setting}`]);
const OPTIMISER = [
  'lr=1e-3',
  'lr_warmup_steps=5',
  'global_batch_size=8',
  'epochs=2',
  'eval_interval=1',
].flatMap((setting) => ['--set', setting]);

/** A small run; 40 steps unless told. */
const train = (out: string, extra: string[] = []) => [
  ...['train', '--data', data, '--out', join(folder, out), '--augment', 'sudoku-digits', '--steps', '40'],
  ...['--eval-every', '20', '--eval-split', 'validation', ...TINY, ...OPTIMISER, ...extra],
];

/** The tensor bytes of a checkpoint, without its metadata (which hold the position only). */
function tensorsOf(out: string): string {
  const bytes = readFileSync(join(folder, out, 'checkpoint.safetensors'));
  return createHash('sha256')
    .update(bytes.subarray(8 + Number(bytes.readBigUInt64LE(0))))
    .digest('hex');
}

describe('hrm train', () => {
  it('trains, evaluates and saves; eval and solve read what it saved', async () => {
    const run = await hrm(train('whole'));
    expect(run.stderr).toMatch(/step 40: validation exact \d+\.\d %/);
    expect(run).toMatchObject({ code: 0 });
    expect(existsSync(join(folder, 'whole', 'best.safetensors'))).toBe(true);

    const json = await hrm(['eval', join(folder, 'whole'), '--data', data, '--json', '--batch', '16']);
    expect(json.code).toBe(0);
    const result = JSON.parse(json.stdout);
    expect(result).toMatchObject({ count: 40, steps: 3 });
    expect(result.exact_accuracy).toBe(result.exact / 40);
    // The padded last batch changes nothing but the order of sums.
    const oneBatch = JSON.parse(
      (await hrm(['eval', join(folder, 'whole'), '--data', data, '--json'])).stdout,
    );
    expect(oneBatch.exact).toBe(result.exact);
    expect(oneBatch.lm_loss).toBeCloseTo(result.lm_loss, 5);

    const long = ['--max-think-steps', '5', '--no-halt'];
    const solved = await hrm(['solve', join(folder, 'whole'), '12..34....43..21', ...long]);
    expect([0, 2]).toContain(solved.code); // 2: thought to the end, not solved after 40 steps of training
    expect(solved.stdout.match(/segment \d +q_halt -?\d+\.\d+ +q_continue -?\d+\.\d+/g)).toHaveLength(5);
  });

  it('goes on after Ctrl-C with the same bits', async () => {
    let sent = false;
    const stopped = await hrm(train('stopped'), {
      onStderr(text, kill) {
        if (!sent && text.includes('step 20:')) kill('SIGINT');
        sent ||= text.includes('step 20:');
      },
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stdout).toContain('--resume');
    const resumed = await hrm(['train', '--out', join(folder, 'stopped'), '--resume']);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toMatch(/steps 2\d to 40|steps 3\d to 40/);
    expect(tensorsOf('stopped')).toBe(tensorsOf('whole'));
  });

  it('survives being killed: the last checkpoint is whole, and goes on to the same bits', async () => {
    let killed = false;
    await hrm(train('killed'), {
      onStderr(text, kill) {
        if (!killed && text.includes('step 20:')) setTimeout(() => kill('SIGKILL'), 150);
        killed ||= text.includes('step 20:');
      },
    });
    const resumed = await hrm(['train', '--out', join(folder, 'killed'), '--resume']);
    expect(resumed.code).toBe(0);
    expect(tensorsOf('killed')).toBe(tensorsOf('whole'));
  });

  it('goes on beyond its end, as a longer run would from there, and its folder tells the length', async () => {
    const config = () => readFileSync(join(folder, 'whole', 'all_config.yaml'), 'utf8');
    expect(config()).toMatch(/^total_steps: 40$/m);
    const shorter = await hrm(['train', '--out', join(folder, 'whole'), '--resume', '--steps', '39']);
    expect(shorter.stderr).toMatch(/--steps 39: the run has made 40 steps already/);
    const args = ['train', '--out', join(folder, 'whole'), '--resume', '--steps', '50'];
    const longer = await hrm(args);
    expect(longer.stderr).toMatch(/steps 41 to 50/);
    expect(longer.stderr).toMatch(/step 50: validation exact/);
    expect(config()).toMatch(/^total_steps: 50$/m);
    // lr_min_ratio is 1: the longer run's rates are the same from its beginning.
    await hrm(train('long').map((word) => (word === '40' ? '50' : word)));
    expect(tensorsOf('whole')).toBe(tensorsOf('long'));
  });

  it('keeps snapshots, which guess together, and begins with what is easy', async () => {
    const run = await hrm(
      train('snapshots', ['--snapshots', '1', '--curriculum', 'easy-first', '--set', 'ema=true']),
    );
    expect(run.code).toBe(0);
    expect(tensorsOf('snapshots')).not.toBe(tensorsOf('whole'));
    const out = join(folder, 'snapshots');
    expect(readdirSync(join(out, 'snapshots'))).toEqual(['step-40.safetensors']);
    const guesses = await hrm(['eval', out, '--data', data, '--json', '--checkpoints', out, '--sample', '4']);
    expect(JSON.parse(guesses.stdout).guesses).toMatchObject({ count: 2, rule: 'auto' });
  });

  it('shows where the time goes', async () => {
    const run = await hrm([...train('profiled'), '--profile']);
    expect(run.code).toBe(0);
    const product =
      run.stdout.match(/^matmul\w*\n {2}m=\d+ n=\d+ k=\d+ .*?([\d.]+)–([\d.]+) +([\d.]+) %/m) ?? [];
    const [, low, high, share] = product.map(Number);
    expect(share).toBeGreaterThan(0);
    expect(high).toBeGreaterThanOrEqual(low);
    for (const line of run.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    const shares = [...run.stdout.matchAll(/([\d.]+) %/g)].map(([, text]) => Number(text));
    // Every share is rounded to a tenth.
    expect(Math.abs(shares.reduce((a, b) => a + b) - 100)).toBeLessThan(0.05 * shares.length + 0.1);
    expect(run.stdout).toContain('host and waiting');
    expect(existsSync(join(folder, 'profiled'))).toBe(false);
  });

  it('stops at a loss that is no number, and keeps what was saved', async () => {
    const run = await hrm(train('nan', ['--set', 'lr=1e38', '--set', 'lr_warmup_steps=10']));
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(
      /error: step \d+: the loss is NaN.*It began at step \d+: \w+ is the first to write/s,
    );
    expect(run.stderr).toMatch(
      /Its batch is kept in .*not-finite-step-\d+\.safetensors.*start again with a lower lr/,
    );
    expect(run.stderr).not.toContain('    at ');
    expect(existsSync(join(folder, 'nan', 'checkpoint.safetensors'))).toBe(false);
  });

  it.each([[[]], [['--eager']]])(
    'names the kernel where numbers cease to be numbers, with --trace-nan %j',
    async (how) => {
      const run = await hrm(
        train('traced-nan', ['--set', 'lr=1e38', '--set', 'lr_warmup_steps=10', '--trace-nan', ...how]),
      );
      expect(run.code).toBe(1);
      expect(run.stderr).toMatch(
        /error: step \d+: \w+ is the first to write -?(NaN|Infinity), to \w+\[[\d, ]+\] \(launch \d+, [\w.]+(, with [\w. ]+)?\)/,
      );
      expect(run.stderr).not.toContain('    at ');
    },
  );

  it('saves no weights that are no numbers over good ones', async () => {
    // The first loss is fine, the weights after its step are not.
    const run = await hrm(
      train('overflow', ['--set', 'lr=1e38', '--set', 'lr_warmup_steps=0', '--eval-every', '1']),
    );
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(
      /(?:not finite|NaN).*It began at step 1: .*Nothing had been saved yet: start again with a lower lr/s,
    );
    expect(existsSync(join(folder, 'overflow', 'not-finite-step-1.safetensors'))).toBe(true);
    expect(existsSync(join(folder, 'overflow', 'checkpoint.safetensors'))).toBe(false);
  });

  it('ends quietly when nobody reads its output', async () => {
    const bin = fileURLToPath(new URL('../packages/hrm/bin/hrm.js', import.meta.url));
    const solve = `'${process.execPath}' '${bin}' solve '${join(folder, 'whole')}' 12..34....43..21`;
    const { stderr } = spawnSync('sh', ['-c', `${solve} | head -1`], { encoding: 'utf8' });
    expect(stderr).not.toContain('Error');
    expect(stderr).not.toContain('    at ');
  });
});

describe('bad input is one message and exit code 1', () => {
  const whole = () => join(folder, 'whole');
  const write = (name: string, contents: string | Uint8Array) => {
    writeFileSync(join(folder, name), contents);
    return join(folder, name);
  };
  it.each<[string, () => string[], RegExp]>([
    ['a folder that holds a run', () => train('whole'), /whole holds a run already.*--resume/s],
    ['inherited names', () => ['toString'], /unknown command 'toString'/],
    [
      'inherited keys',
      () => train('x', ['--set', 'toString=1']),
      /toString is not a known configuration key/,
    ],
    [
      'absurd sizes',
      () => train('x', ['--set', 'arch.halt_max_steps=10000000000']),
      /halt_max_steps must be/,
    ],
    ['a folder for a file', () => [...train('x'), '--config', folder], /is a folder/],
    [
      'damaged metadata',
      () => ['train', '--out', tampered(), '--resume'],
      /damaged \(progress\.totalSteps is "a", .*use another checkpoint/,
    ],
    [
      'another dataset',
      () => ['train', '--out', moved(), '--resume'],
      /not the dataset that this run was started on/,
    ],
    ['unknown command', () => ['fly'], /unknown command 'fly'\. Commands/],
    ['a command by another name', () => ['trian'], /unknown command 'trian'\. Did you mean 'train'\?/],
    [
      'an option by another name',
      () => ['eval', '--dta', 'x'],
      /Unknown option '--dta'\. Did you mean '--data'\?/,
    ],
    ['a preset by another name', () => ['train', '--preset', 'maze'], /unknown\. Did you mean 'maze-hard'\?/],
    [
      'a key by another name',
      () => train('x', ['--set', 'weigth_decay=3']),
      /weigth_decay is not a known configuration key\. Did you mean 'weight_decay'\?/,
    ],
    [
      'a key that is none',
      () => train('x', ['--set', '__proto__=3']),
      /__proto__ is not a known configuration key/,
    ],
    ['unknown option', () => ['train', '--speed', '9'], /Unknown option '--speed'/],
    ['no data', () => ['train', '--out', whole()], /--data DIR/],
    [
      'missing dataset',
      () => ['train', '--data', join(folder, 'none'), '--out', whole()],
      /none.*dataset\.json/s,
    ],
    [
      'wrong config key',
      () => train('x', ['--set', 'arch.hiden_size=3']),
      /arch\.hiden_size is not a known configuration key/,
    ],
    [
      'wrong config value',
      () => train('x', ['--set', 'arch.num_heads=5']),
      /arch\.num_heads must be a divisor of hidden_size/,
    ],
    [
      'batch too large for the GPU',
      () => train('x', ['--set', 'global_batch_size=4096', '--steps', '5']),
      /a batch of 4096 does not fit.*--micro-batch 2048/,
    ],
    [
      'batch too large for the data',
      () => train('x', ['--set', 'global_batch_size=256', '--steps', '5']),
      /64 groups do not fill a batch of 256/,
    ],
    [
      'nothing to resume',
      () => ['train', '--out', join(folder, 'data'), '--resume'],
      /nothing|no checkpoint\.safetensors/,
    ],
    [
      'resume with other options',
      () => ['train', '--out', whole(), '--resume', '--eval-every', '9'],
      /--eval-every cannot be given/,
    ],
    [
      'a profile of what looks for NaNs',
      () => [...train('x'), '--profile', '--trace-nan'],
      /--trace-nan cannot be given with --profile/,
    ],
    ['weights only', () => ['train', '--out', weightsOnly(), '--resume'], /weights only/],
    [
      'out is a file',
      () => [...train('x').slice(0, 3), '--out', write('file', 'x')],
      /file.*(exists|not a folder|directory)/s,
    ],
    ['truncated checkpoint', () => ['eval', truncated(), '--data', data], /truncated|beyond|bytes/],
    ['not a checkpoint', () => ['eval', write('page', '<html></html>'), '--data', data], /page/],
    ['missing checkpoint', () => ['eval', join(folder, 'none'), '--data', data], /none: no such file/],
    [
      'another task',
      () => ['eval', new URL('fixtures/trained-6x6', import.meta.url).pathname, '--data', data],
      /vocab_size is 6 instead of 8, seq_len is 16 instead of 36/,
    ],
    ['short Sudoku', () => ['solve', whole(), '123'], /16, 36 or 81 characters, got 3/],
    ['bad Sudoku', () => ['solve', whole(), '12..34....43..2q'], /character 16 .*.*q/],
    ['Sudoku that breaks a rule', () => ['solve', whole(), '11..34....43..21'], /row 1, column 1/],
    [
      'Sudoku of another size',
      () => ['solve', whole(), '.'.repeat(81)],
      /9 rows of 9 cells; this model reads 4 rows of 4/,
    ],
    ['no fixture', () => ['parity', data], /config\.json/],
  ])('%s', async (_, args, message) => {
    const run = await hrm(args());
    expect(run.stderr).toMatch(message);
    expect(run.stderr).toMatch(/^error: /m);
    expect(run.stderr).not.toContain('    at ');
    expect(run.code).toBe(1);
    expect(existsSync(join(folder, 'x'))).toBe(false);
  });

  function truncated(): string {
    const bytes = readFileSync(join(whole(), 'best.safetensors'));
    return write('truncated.safetensors', bytes.subarray(0, bytes.length - 100));
  }
  /** A run folder whose checkpoint has other metadata. */
  function withMetadata(change: (training: Record<string, unknown>) => void): string {
    const bytes = readFileSync(join(whole(), 'checkpoint.safetensors'));
    const end = 8 + Number(bytes.readBigUInt64LE(0));
    const header = JSON.parse(bytes.toString('utf8', 8, end));
    const training = JSON.parse(header.__metadata__.training);
    change(training);
    header.__metadata__.training = JSON.stringify(training);
    // By somebody who knows what they do: the first form has no checksums.
    header.__metadata__.format = 'hrm-webgpu/1';
    delete header.__metadata__.checksum_header;
    delete header.__metadata__.checksum_tensors;
    const text = Buffer.from(JSON.stringify(header));
    const padded = Buffer.concat([text, Buffer.alloc((8 - (text.length % 8)) % 8, ' ')]);
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(padded.length));
    const out = mkdtempSync(join(folder, 'tampered-'));
    writeFileSync(join(out, 'checkpoint.safetensors'), Buffer.concat([length, padded, bytes.subarray(end)]));
    return out;
  }
  const tampered = () =>
    withMetadata((training) => {
      (training.progress as Record<string, unknown>).totalSteps = 'a';
    });
  const moved = () =>
    withMetadata((training) => {
      (training.notes as Record<string, unknown>).dataset = 'another';
    });
  function weightsOnly(): string {
    const out = mkdtempSync(join(folder, 'weights-'));
    writeFileSync(join(out, 'checkpoint.safetensors'), readFileSync(join(whole(), 'best.safetensors')));
    return out;
  }
});

describe('without an adapter', () => {
  it.each(['doctor', 'parity'])('hrm %s says what to do', async (command) => {
    const args =
      command === 'parity' ? ['parity', new URL('fixtures/tiny-rope', import.meta.url).pathname] : ['doctor'];
    const run = await hrm(args, { env: { VK_DRIVER_FILES: '/nonexistent.json' } });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/error: No WebGPU adapter.*npm run setup/s);
  });
});

it('every command explains itself', async () => {
  for (const command of ['train', 'eval', 'solve', 'parity', 'doctor', 'demo']) {
    const run = await hrm([command, '--help']);
    expect(run).toMatchObject({ code: 0, stderr: '' });
    expect(run.stdout).toContain(`usage: hrm ${command}`);
  }
  expect((await hrm([])).stdout).toContain('usage: hrm <command>');
  const { version } = JSON.parse(
    readFileSync(new URL('../packages/hrm/package.json', import.meta.url), 'utf8'),
  );
  expect(await hrm(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

it('doctor proves the adapter', async () => {
  const run = await hrm(['doctor']);
  expect(run.code).toBe(0);
  for (const kernel of ['matmul', 'attention', 'swiglu_backward', 'metrics'])
    expect(run.stdout).toMatch(new RegExp(`ok {4}${kernel}`));
  expect(Math.max(...run.stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
});
