import type { Device } from '@hrm-webgpu/core';
import type { ModelConfig } from '../../model/config.ts';
import { checkMemory, type MemoryLimits, type MemoryUse } from '../../training/memory.ts';
import { byteSize, say } from '../terminal.ts';

/**
 * Says what a run will take in memory, before it takes any.
 *
 * @throws UserError when it does not fit the adapter
 */
export function announceMemory(device: Device, config: ModelConfig, use: MemoryUse): void {
  const estimate = checkMemory(config, use, limitsOf(device));
  const { weights, optimizer, carry, activations, evaluation } = estimate;
  const parts = Object.entries({ weights, optimizer, carry, activations, evaluation })
    .filter(([, bytes]) => bytes > 0)
    .map(([name, bytes]) => `${name} ${byteSize(bytes)}`);
  say(`memory: about ${byteSize(estimate.total)} (${parts.join(', ')})`);
}

/** The adapter's limits; a software adapter's memory is the machine's, of other adapters WebGPU does not tell it. */
function limitsOf({ limits, freeMemory: memory }: Device): MemoryLimits {
  const { maxBufferSize, maxStorageBufferBindingSize } = limits;
  return { maxBufferSize, maxStorageBufferBindingSize, memory };
}
