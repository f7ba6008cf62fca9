/** What may be tuned: kept apart from what computes, which carries shaders without their `// tune:` comments. */
import { type ParamValues, parseShader } from '@hrm-webgpu/core';
import { checks } from '../checks.gen.ts';
import type { Kernel } from '../kernel.ts';
import type { Operation } from '../operation.ts';

/** Values worth trying, by the name of the constant. */
export type Tunables = Record<string, readonly number[]>;

/** The numbers that a shader's `// tune:` comments name. */
export function tunablesIn(name: string, text: string): Tunables {
  const declared = [...parseShader(name, text).constants.values()];
  return Object.fromEntries(
    declared
      .map(({ name, candidates }) => [name, candidates.map(Number).filter(Number.isFinite)] as const)
      .filter(([, candidates]) => candidates.length > 0),
  );
}

/** Those of a kernel, and what the operation adds that it is a way to do. */
export function settingsOf<P extends ParamValues>(
  operation: Operation<P>,
  kernel: Kernel<P>,
  params: P,
): Tunables {
  return { ...tunablesOf(kernel.name), ...operation.settings?.(kernel, params) };
}

const known = new Map<string, Tunables>();

/** The tunables of a kernel as it stands in its file. */
export function tunablesOf(kernel: string): Tunables {
  const { text } = checks[kernel as keyof typeof checks].kernel;
  const tunables = known.get(kernel) ?? tunablesIn(kernel, text);
  known.set(kernel, tunables);
  return tunables;
}
