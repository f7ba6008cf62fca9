import type { Choice } from '@hrm-webgpu/core';
import type { Tuned } from '../../tuning/tune-operations.ts';
import { bold, dim } from '../terminal.ts';

/**
 * What tuning an operation came to: before and after, which were timed by turns, or the one time where nothing was better;
 * below it each way that was rejected, and why.
 */
export function formatTuned({ key, choice, standardMs, ms, tried, rejected }: Tuned): string {
  const better = ms < standardMs;
  const outcome = better
    ? `${standardMs.toFixed(2)} → ${ms.toFixed(2)} ms   ${(standardMs / ms).toFixed(2)} × as fast   ${bold(formatChoice(choice))}`
    : `${ms.toFixed(2)} ms   as it was`;
  const others = better ? `${tried} others tried` : `${tried} others tried, none better by enough`;
  return [
    key,
    `    ${outcome}   ${dim(`(${others})`)}`,
    ...rejected.map((why) => dim(`    rejected: ${why}`)),
  ].join('\n');
}

function formatChoice({ kernel, settings }: Choice): string {
  return [kernel, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)].join(' ');
}
