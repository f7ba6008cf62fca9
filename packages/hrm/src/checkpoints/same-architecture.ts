import { UserError } from '@hrm-webgpu/core';
import type { ModelConfig } from '../model/config.ts';

/**
 * @param checkpoints their names, for messages, and configurations
 * @throws UserError naming the first that differs from the first of all, and in what
 */
export function expectSameArchitecture(
  checkpoints: readonly { name: string; config: ModelConfig }[],
): ModelConfig {
  const [first, ...others] = checkpoints;
  for (const { name, config } of others) {
    const key = (Object.keys(first.config) as (keyof ModelConfig)[]).find(
      (one) => first.config[one] !== config[one],
    );
    if (key === undefined) continue;
    throw new UserError(
      `${name} has ${key} ${config[key]}, and ${first.name} ${first.config[key]}: checkpoints that guess together have ` +
        'one architecture',
    );
  }
  return first.config;
}
