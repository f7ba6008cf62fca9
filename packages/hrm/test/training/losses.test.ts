import { type Device, DeviceLostError, openDevice, UserError } from '@hrm-webgpu/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Survival } from '../../src/training/survival.ts';
import { Trainer } from '../../src/training/trainer.ts';
import { smallRun, trainUndisturbed, trainWithLosses } from './losses.ts';

/** `npm run soak` takes more of it. */
const LOSSES = import.meta.env.MODE === 'soak' ? 100 : 20;

/** The pauses before attempts; they are shorter here. */
let pauses: number[];
beforeEach(() => {
  pauses = [];
  const { setTimeout } = globalThis;
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(((run: () => void, ms: number) => {
    if (![1000, 5000].includes(ms)) return setTimeout(run, ms);
    pauses.push(ms);
    return setTimeout(run, 50);
  }) as typeof setTimeout);
});
afterEach(() => {
  vi.restoreAllMocks();
});

describe('a run whose device is lost', () => {
  it(
    `has the reports and the bits of an undisturbed one after ${LOSSES} losses`,
    async () => {
      const options = smallRun(2.4 * LOSSES);
      const undisturbed = await trainUndisturbed(options);
      const { outcome, losses, attempts } = await trainWithLosses(options, LOSSES, 7);
      console.log(`${losses} losses, up to ${attempts} without a step of progress`);
      expect(losses).toBe(LOSSES);
      expect(outcome.reports.map(({ step }) => step)).toEqual(undisturbed.reports.map(({ step }) => step));
      expect(outcome).toEqual(undisturbed);
    },
    3000 * LOSSES,
  );

  it('gives up after three attempts without a step of progress', async () => {
    const attempts: number[] = [];
    using device = await openDevice();
    using trainer = await Trainer.start(device, {
      ...smallRun(40),
      survival: new Survival(
        async () => {
          const next = await openDevice();
          next.gpu.destroy();
          return next;
        },
        (error, attempt) => {
          expect(error).toBeInstanceOf(DeviceLostError);
          attempts.push(attempt);
        },
      ),
    });
    await trainer.advance();
    device.gpu.destroy();
    await expect(trainer.advance()).rejects.toThrow(DeviceLostError);
    expect(attempts).toEqual([1, 2, 3]);
    expect(pauses).toEqual([1000, 5000]);
    await expect(trainer.settle()).rejects.toThrow(DeviceLostError);
    expect(attempts).toEqual([1, 2, 3]);
  }, 30_000);

  it('tries again where there is no adapter for a while, and says so where there is none in the end', async () => {
    const away = async (times: number) => {
      using device = await openDevice();
      let calls = 0;
      using trainer = await Trainer.start(device, {
        ...smallRun(40),
        survival: new Survival(async () => {
          if (++calls <= times) throw new UserError('no adapter');
          return openDevice();
        }),
      });
      await trainer.advance();
      device.gpu.destroy();
      await trainer.advance();
      expect(trainer.step).toBe(2);
      expect(trainer.model.device).not.toBe(device);
    };
    await away(1);
    await expect(away(9)).rejects.toThrow(/^The GPU device was lost .* no adapter$/);
  }, 30_000);

  it('rejects where nothing opens a device again', async () => {
    using device = await openDevice();
    using trainer = await Trainer.start(device, smallRun(40));
    await trainer.advance();
    device.gpu.destroy();
    await expect(trainer.advance()).rejects.toThrow(DeviceLostError);
    expect(trainer.model.device).toBe(device);
  });

  it('is not taken for another error', async () => {
    using device = await openDevice();
    let opened: Device | undefined;
    const options = smallRun(40);
    const mend = { ...options, survival: new Survival(async () => (opened = await openDevice())) };
    using trainer = await Trainer.start(device, mend);
    await trainer.advance();
    const mistake = new Error('a mistake');
    await expect(trainer.survive(() => Promise.reject(mistake))).rejects.toBe(mistake);
    expect(opened).toBeUndefined();
  });
});
