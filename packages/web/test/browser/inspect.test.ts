/** What a person does on the page that looks inside, in a real browser. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openDevice } from '@hrm-webgpu/core';
import { blobSource, buildSudokuSplits, HRM, openTensorFile, sudokuShape } from 'hrm-webgpu';
import { batchOf, measureParticipation, measureResiduals, sumTensor } from 'hrm-webgpu/inside';
import { writeIdentifiers, writeSplit } from 'hrm-webgpu/node';
import { parsePuzzle } from 'hrm-webgpu/puzzles';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasonToSkip } from '../../../../test/browser/chromium.ts';
import { figure } from '../../src/wording/sizes.ts';
import { longestTask } from '../main-thread.ts';
import { Site } from '../site.ts';

const skip = reasonToSkip();
const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const modelFile = path('../../models/sudoku-6x6.safetensors');
const published = path('../../../../test/fixtures/trained-6x6/');
const PUZZLE = '4...212315...4..636....5..4.5..6....';
const PATIENT = { timeout: 60_000 };

/** 4×4 Sudokus: five puzzles with a copy each to train on, ten to test. */
async function writeDataset(folder: string): Promise<void> {
  const counts = { train: 10, validation: 0, test: 10 };
  const { train, test } = buildSudokuSplits({
    shape: sudokuShape(4),
    minBlanks: 4,
    maxBlanks: 8,
    seed: 1,
    ...counts,
  });
  const set = train.sets.get('all')!;
  const groupIndices = Int32Array.of(0, 2, 4, 6, 8, 10);
  const metadata = { ...train.metadata, total_groups: 5 };
  await writeSplit(folder, 'train', { metadata, sets: new Map([['all', { ...set, groupIndices }]]) });
  await writeSplit(folder, 'test', test);
  await writeIdentifiers(folder, ['<blank>']);
}

/** As a file manager does it: the browser gets paths. */
async function drop(page: Page, ...files: string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await session.send('Input.dispatchDragEvent', { type, x: 200, y: 200, data });
  }
}

/** The cells of a table's rows. */
const rowsOf = (page: Page, caption: string) =>
  page
    .locator('table.numbers', { has: page.locator('caption', { hasText: caption }) })
    .locator('tbody tr')
    .evaluateAll((rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent ?? '')));

describe.skipIf(skip)('the page that looks inside', () => {
  let site: Site;
  const folder = mkdtempSync(join(tmpdir(), 'hrm-inspect-page-'));
  beforeAll(async () => {
    await writeDataset(join(folder, 'data'));
    site = await Site.open();
  });
  afterAll(async () => {
    await site?.close();
    rmSync(folder, { recursive: true });
  });

  it('shows what a checkpoint is that is dropped on it, and its sums', async () => {
    const { page, failures } = await site.page('#/inspect');
    await page.getByText('Choose files').waitFor();
    await drop(page, modelFile);
    await page.getByText('safetensors, 2.1 MB, 23 tensors').waitFor(PATIENT);
    await page.getByText('Tensors and configuration fit.').waitFor();
    expect(await page.getByRole('row', { name: /^H_init F16 \[128\] 256 B$/ }).count()).toBe(1);
    await page.getByRole('button', { name: 'Sums of all tensors' }).click();
    await page.getByText('All numbers are finite.').waitFor(PATIENT);
    const file = await openTensorFile(blobSource(new Blob([readFileSync(modelFile)]), 'it'));
    const name = 'lm_head.weight';
    const sums = await sumTensor(file.info(name).dtype, file.pieces(name));
    const cells = await page
      .getByRole('row', { name: new RegExp(`^${name}`) })
      .getByRole('cell')
      .allInnerTexts();
    const expected = (['sum', 'mean', 'std', 'min', 'max'] as const).map((key) => figure(sums[key]));
    expect(cells.slice(3)).toEqual(expected);
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('knows a published checkpoint, with and without the configuration that lies beside it', async () => {
    const { page } = await site.page('#/inspect');
    const input = page.getByLabel('Choose files');
    await input.setInputFiles(join(published, 'checkpoint'));
    await page.getByText('PyTorch (torch.save)').waitFor(PATIENT);
    await page.getByText('There is no configuration to compare the tensors with.').waitFor();
    await input.setInputFiles([join(published, 'checkpoint'), join(published, 'all_config.yaml')]);
    await page.getByText('from all_config.yaml').waitFor(PATIENT);
    await page.getByText('Tensors and configuration fit.').waitFor();
    await page.context().close();
  });

  it('says in a sentence what is wrong with a file', async () => {
    const { page, failures } = await site.page('#/inspect');
    const input = page.getByLabel('Choose files');
    const said = page.getByRole('alert');
    const buffer = readFileSync(modelFile).subarray(0, 5000);
    await input.setInputFiles({ name: 'torn.safetensors', mimeType: '', buffer });
    await expect
      .poll(() => said.innerText(), PATIENT)
      .toMatch(/^torn\.safetensors: damaged safetensors file: /);
    await input.setInputFiles({ name: 'page.pt', mimeType: '', buffer: Buffer.from('<html>') });
    await expect
      .poll(() => said.innerText(), PATIENT)
      .toMatch(/^page\.pt: not a checkpoint: it looks like a web page/);
    await input.setInputFiles({ name: 'notes.txt', mimeType: '', buffer: Buffer.from('x') });
    await expect
      .poll(() => said.innerText(), PATIENT)
      .toMatch(/^notes\.txt: neither a checkpoint nor a dataset/);
    await drop(page, join(folder, 'data', 'train', 'all__inputs.npy'));
    await expect
      .poll(() => said.innerText(), PATIENT)
      .toMatch(/^all__inputs\.npy: is an array without its dataset/);
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('shows a dataset folder by its groups, goes to an example, and thinks about it', async () => {
    const { page, failures } = await site.page('#/inspect');
    // A model of other puzzles, which stays but is not the one to ask.
    await page.getByLabel('Choose files').setInputFiles(modelFile);
    await page.getByText('Tensors and configuration fit.').waitFor(PATIENT);
    await drop(page, join(folder, 'data'));
    await page.getByText('5 groups, 10 puzzles, 10 examples').waitFor(PATIENT);
    await page.getByText('16 tokens of 6 kinds').waitFor();
    const third = page.getByRole('region', { name: 'Group 3' });
    await third.waitFor();
    expect(await third.getByRole('grid').count()).toBe(4); // two examples, input and label of each
    await page.getByRole('spinbutton', { name: /^Example/ }).fill('9');
    await page.keyboard.press('Enter');
    await page.getByText('Examples 9 to 10 of 10').waitFor();
    expect(await page.getByRole('region', { name: 'Group 5' }).getByRole('grid').count()).toBe(4);
    const asked = page.getByRole('grid', { name: 'Example 10: input' });
    const cells = await asked.getByRole('gridcell').allInnerTexts();
    await page.getByRole('button', { name: 'Think about it' }).last().click();
    await page.getByText('After 4 segments').waitFor(PATIENT);
    expect(await page.getByRole('radio', { name: 'Sudoku 4×4' }).isChecked()).toBe(true);
    expect(await page.getByRole('radio', { name: 'sudoku-6x6.safetensors' }).count()).toBe(1);
    const puzzle = page.getByRole('grid', { name: 'The puzzle' });
    expect(await puzzle.getByRole('gridcell').allInnerTexts()).toEqual(cells);
    await page.getByRole('img', { name: /^The way of z_L/ }).waitFor(PATIENT);
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('says which file of a dataset is damaged', async () => {
    const damaged = join(folder, 'damaged');
    await writeDataset(damaged);
    writeFileSync(join(damaged, 'train', 'all__labels.npy'), 'nonsense');
    const { page } = await site.page('#/inspect');
    await page.getByLabel('Choose a folder').setInputFiles(damaged);
    await expect
      .poll(() => page.getByRole('alert').innerText(), PATIENT)
      .toMatch(/^damaged\/train\/all__labels\.npy: is not a \.npy file/);
    await page.context().close();
  });

  /**
   * Chromium computes on SwiftShader, Node on another adapter: sums run in other orders. Measured on llvmpipe: residuals (0.3 to 97) and
   * participation ratios differ by less than 5e-5 of their size, which is what five digits lose.
   */
  const near = (value: string, expected: number) =>
    expect(Math.abs(Number(value) - expected) / expected).toBeLessThanOrEqual(2e-4);

  it('draws residuals, participation ratios and trajectories while it thinks, with the numbers of the library', async () => {
    const segments = 6;
    const { page, failures } = await site.page(
      `#/solve?model=sudoku-6x6&puzzle=${PUZZLE}&steps=${segments}&fast=0`,
    );
    await page.getByText(/Thinking: \d of 6/).waitFor(PATIENT);
    const longest = await longestTask(page, async () => {
      await page.getByText('Look inside').click();
      await page.waitForFunction(
        () =>
          document.querySelector('.trajectory polyline') && /Thinking: \d of 6/.test(document.body.innerText),
        undefined,
        PATIENT,
      );
      await page.getByText('Solved, and proven by the rules').waitFor(PATIENT);
      await page.getByText(`24 steps in ${segments} segments`).waitFor(PATIENT);
    });
    expect(longest).toBeLessThan(50);
    const residuals = await rowsOf(page, 'Residuals');
    const participation = await rowsOf(page, 'Participation ratios');

    const device = await openDevice();
    const hrm = await HRM.load(new Blob([readFileSync(modelFile)]), { device });
    const batch = batchOf(hrm.config, hrm.task, [parsePuzzle(PUZZLE).grid]);
    const measured = await measureResiduals(hrm.model, batch, { segments });
    expect(residuals).toHaveLength(4 * segments);
    for (const { level, step, mean } of measured) near(residuals[step - 1][level === 'H' ? 1 : 2], mean);
    const [positions] = await measureParticipation(hrm.model, batch, { segments });
    const [segment, rows, H, L] = participation[segments - 1];
    expect([segment, rows]).toEqual([String(segments), String(positions.count)]);
    near(H, positions.H);
    near(L, positions.L);
    hrm.dispose();
    device.close();
    // Who has opened it once sees the next thought from inside, too.
    await page.getByRole('button', { name: 'Another example' }).click();
    await page.getByRole('button', { name: 'Think', exact: true }).click();
    await page.getByRole('img', { name: /^The way of z_L. 4 steps. / }).waitFor(PATIENT);
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('reads files and shows the recording where there is no GPU', async () => {
    const { page, failures } = await site.pageWithoutGpu('#/inspect');
    await page.getByText('A recording: this browser has no GPU to think with.').waitFor(PATIENT);
    await page.getByRole('img', { name: /^The way of z_H/ }).waitFor();
    await page.getByLabel('Choose files').setInputFiles(modelFile);
    await page.getByText('Tensors and configuration fit.').waitFor(PATIENT);
    expect(failures).toEqual([]);
    await page.context().close();
  });
});
