/** What a person does on the page that solves, in a real browser. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reasonToSkip } from '../../../../test/browser/chromium.ts';
import { Site } from '../site.ts';

const skip = reasonToSkip();
const SOLVED = 'Solved, and proven by the rules';
const PUZZLE = '132..431.21.3142';
const MAZE = [
  ...[' # #  # #', '#  #   # ', 'S ####  #', '#  # ### ', '#   #    '],
  ...[' #   # # ', ' ### # # ', '# ##G### ', '#     # #'],
];
const PATIENT = { timeout: 20_000 };
const modelFile = fileURLToPath(new URL('../../models/sudoku-4x4.safetensors', import.meta.url));

describe.skipIf(skip)('the page that solves', () => {
  let site: Site;
  beforeAll(async () => {
    site = await Site.open();
  });
  afterAll(() => site?.close());

  it('shows a model think at once, under a strict policy and any path', async () => {
    const { page, failures } = await site.page();
    await page.getByText(SOLVED).waitFor();
    expect(await page.getByRole('grid', { name: 'The answer so far' }).isVisible()).toBe(true);
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('thinks about a puzzle that is typed, and its address brings it back', async () => {
    const { page, failures } = await site.page('#/solve?model=sudoku-4x4&puzzle=1...............');
    const board = page.getByRole('grid', { name: 'The puzzle' });
    await page.getByRole('button', { name: 'Clear' }).click();
    await board.getByRole('gridcell').first().focus();
    for (const [i, cell] of [...PUZZLE].entries()) {
      if (cell !== '.') await page.keyboard.press(cell);
      if (i % 4 < 3) await page.keyboard.press('ArrowRight');
      else {
        await page.keyboard.press('Home');
        await page.keyboard.press('ArrowDown');
      }
    }
    await expect.poll(() => page.url()).toContain(`puzzle=${PUZZLE}`);
    await page.getByRole('button', { name: 'Think', exact: true }).click();
    await page.getByText(SOLVED).waitFor();
    const copy = await page.context().newPage();
    await copy.goto(page.url());
    await copy.getByText(SOLVED).waitFor();
    expect(
      await copy.getByRole('grid', { name: 'The puzzle' }).getByRole('gridcell').allInnerTexts(),
    ).toEqual([...PUZZLE].map((cell) => (cell === '.' ? '' : cell)));
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('goes back and forth in the thought', async () => {
    const { page } = await site.page(`#/solve?model=sudoku-4x4&puzzle=${PUZZLE}`);
    await page.getByText(SOLVED).waitFor();
    const slider = page.getByRole('slider', { name: 'Step of the thought' });
    expect(await slider.getAttribute('aria-valuetext')).toBe('segment 4, fast step 1');
    await slider.focus();
    await page.keyboard.press('Home');
    expect(await slider.getAttribute('aria-valuetext')).toBe('segment 1, fast step 1');
    await page.getByRole('button', { name: 'Play the thought' }).click();
    await expect.poll(() => slider.getAttribute('aria-valuetext'), PATIENT).toBe('segment 4, fast step 1');
    await page.context().close();
  });

  it('guesses, and says which guess was chosen and why', async () => {
    const { page } = await site.page(`#/solve?model=sudoku-4x4&puzzle=${PUZZLE}&guesses=6&select=vote`);
    await page.getByText(/Guess \d was chosen, without looking at any solution: most guesses/).waitFor();
    expect(await page.getByRole('grid', { name: /^Guess \d$/ }).count()).toBe(6);
    expect(await page.locator('.winner').count()).toBe(1);
    await page.context().close();
  });

  it('saves the answer as a picture and the thought as an animation, and copies both as text', async () => {
    const { page } = await site.page(`#/solve?model=sudoku-4x4&puzzle=${PUZZLE}`, {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    await page.getByText(SOLVED).waitFor();
    const save = async (name: string) => {
      const [saved] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('button', { name }).click(),
      ]);
      return { name: saved.suggestedFilename(), bytes: readFileSync(await saved.path()) };
    };
    const picture = await save('Save picture');
    expect(picture.name).toBe('hrm-sudoku-4.png');
    expect(picture.bytes.subarray(1, 4).toString()).toBe('PNG');
    const animation = await save('Save animation');
    expect(animation.name).toBe('hrm-sudoku-4.gif');
    expect(animation.bytes.subarray(0, 6).toString()).toBe('GIF89a');
    // A picture for the puzzle and each of the four steps: as many graphic control extensions.
    expect(animation.bytes.toString('latin1').split('\x21\xf9\x04').length - 1).toBe(5);
    const copied = async (name: string) => {
      await page.getByRole('button', { name }).click();
      await page.getByText(/copied$/).waitFor();
      return page.evaluate(() => navigator.clipboard.readText());
    };
    expect(await copied('Copy puzzle')).toBe(PUZZLE);
    expect(await copied('Copy link')).toBe(page.url());
    const answer = await copied('Copy answer');
    expect(answer).toMatch(/^[1-4]{16}$/);
    await page.context().close();
  });

  it('finds a way through a maze, and draws others at random', async () => {
    const maze = MAZE.map((row) => row.replaceAll(' ', '%20').replaceAll('#', '%23')).join('%0A');
    const { page, failures } = await site.page(`#/solve?model=maze-9x9&puzzle=${maze}`);
    await page.getByText(SOLVED).waitFor(PATIENT);
    const cells = page.getByRole('grid', { name: 'The puzzle' }).getByRole('gridcell');
    expect(await cells.count()).toBe(81);
    const address = page.url();
    await page.getByRole('button', { name: 'Another example' }).click();
    await expect.poll(() => page.url()).not.toBe(address);
    await page.getByRole('button', { name: 'Think', exact: true }).click();
    await page.getByText('segment 4, step 1').waitFor(PATIENT);
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('says in a sentence what is wrong with a puzzle', async () => {
    const { page } = await site.page('#/solve?model=sudoku-4x4&puzzle=11..............');
    await page.getByText('the givens break the rules at row 1, column 1').waitFor();
    await page.getByText('Paste a puzzle as text').click();
    const box = page.getByLabel('Puzzle as text');
    const take = page.getByRole('button', { name: 'Take it' });
    await box.fill('<b>nonsense</b>');
    await take.click();
    expect(await page.getByRole('alert').innerText()).toMatch(/the text/);
    await box.fill('.5.31.....656...3......6.42...5...41');
    await take.click();
    expect(await page.getByRole('alert').innerText()).toBe('the text has 36 cells, this model reads 16');
    await box.fill('1 3 2 0\n0 4 3 1\n0 2 1 0\n3 1 4 2');
    await take.click();
    await expect.poll(() => page.url()).toContain(`puzzle=${PUZZLE}`);
    await page.context().close();
  });

  it('takes a checkpoint that is dropped on it, and says what is wrong with a damaged one', async () => {
    const { page, failures } = await site.page();
    const input = page.getByLabel('Checkpoint file');
    await input.setInputFiles({
      name: 'torn.safetensors',
      mimeType: '',
      buffer: readFileSync(modelFile).subarray(0, 5000),
    });
    const said = page.locator('.models .trouble');
    await said.waitFor();
    expect(await said.innerText()).toMatch(/torn\.safetensors/);
    await input.setInputFiles(modelFile);
    await page.getByText('0.26 million numbers; hidden size 64').waitFor();
    await page.getByText('Paste a puzzle as text').click();
    await page.getByLabel('Puzzle as text').fill(PUZZLE);
    await page.getByRole('button', { name: 'Take it' }).click();
    await page.getByRole('button', { name: 'Think', exact: true }).click();
    await page.getByText(SOLVED).waitFor();
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('says which browsers help where there is no GPU, and shows a thought that was recorded', async () => {
    const { page, failures } = await site.pageWithoutGpu();
    await page.getByText('This browser offers no GPU to compute on').waitFor();
    await page.getByText('Chrome on Linux: start it with').waitFor();
    await page.getByText(/^Recorded on .+ with the model sudoku-6x6/).waitFor();
    await page.getByText(SOLVED).waitFor();
    const slider = page.getByRole('slider', { name: 'Step of the thought' });
    await slider.focus();
    await page.keyboard.press('Home');
    expect(await slider.getAttribute('aria-valuetext')).toBe('segment 1, fast step 1');
    expect(await page.getByRole('grid', { name: /^Guess \d$/ }).count()).toBe(6);
    await page.getByText('Look inside').click();
    await page.getByRole('img', { name: /^The way of z_H/ }).waitFor();
    await page.getByRole('img', { name: /^Forward residuals/ }).waitFor();
    const think = page.getByRole('button', { name: 'Think', exact: true });
    expect(await think.isDisabled()).toBe(true);
    await page.getByText('takes a GPU that this browser lets the page use').waitFor();
    expect(failures).toEqual([]);
    await page.context().close();
  });

  it('works without a network once it has been loaded', async () => {
    const { page, failures } = await site.page();
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}));
    await page.getByText(SOLVED).waitFor();
    await page.context().setOffline(true);
    await page.reload();
    await page.getByText(SOLVED).waitFor();
    // Not by a click, which draws an example: one of them is wrong at first, to show what guesses are for.
    await page.evaluate(() => {
      location.hash = '#/solve?model=sudoku-6x6&puzzle=354...2.6..3631.2..2513.562.411.3.6.';
    });
    await expect
      .poll(
        () => page.getByRole('grid', { name: 'The answer so far' }).getByRole('gridcell').count(),
        PATIENT,
      )
      .toBe(36);
    await page.getByText(SOLVED).waitFor();
    expect(failures).toEqual([]);
    await page.context().close();
  });
});
