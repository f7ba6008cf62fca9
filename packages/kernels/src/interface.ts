import { parseShader, UserError } from '@hrm-webgpu/core';

/** What a launch gives a kernel, in words: what a text that stands in for another must have like it. */
function interfaceOf(name: string, text: string): Record<string, string> {
  const { bindings, params } = parseShader(name, text);
  return {
    bindings: bindings.map(({ name, access }) => `${name} (${access})`).join(', '),
    parameters: params.map(({ name, type }) => `${name}: ${type}`).join(', '),
  };
}

/** Texts that have been compared, with the kernel's name in front. */
const accepted = new Set<string>();

/**
 * Makes sure that a text can stand in for a kernel's own.
 *
 * @throws UserError where its bindings or parameters are others, with both
 */
export function expectSameInterface(name: string, own: string, text: string): void {
  if (accepted.has(name + text)) return;
  const theirs = interfaceOf(name, text);
  for (const [what, expected] of Object.entries(interfaceOf(name, own)))
    expectSame(name, what, theirs[what], expected);
  accepted.add(name + text);
}

/** @throws UserError where two descriptions differ */
export function expectSame(name: string, what: string, actual: string, expected: string): void {
  if (actual !== expected)
    throw new UserError(`${name}.wgsl has the ${what} ${actual || 'none'}, expected ${expected || 'none'}`);
}
