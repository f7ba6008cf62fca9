import { parseShader, UserError } from '@hrm-webgpu/core';
import { checks } from '../checks.gen.ts';

/**
 * Makes sure that shaders can stand in for the engine's own (`openDevice({ shaders })`).
 *
 * @param shaders texts by name
 * @throws UserError for a name that no kernel has, and for bindings, parameters or constants that are others, with both
 */
export function checkReplacements(shaders: ReadonlyMap<string, string>): void {
  for (const [name, text] of shaders) {
    if (!Object.hasOwn(checks, name)) {
      throw new UserError(
        `${name}.wgsl: there is no kernel of that name; they are ${Object.keys(checks).join(', ')}`,
      );
    }
    const own = interfaceOf(name, checks[name as keyof typeof checks].kernel.text);
    const theirs = interfaceOf(name, text);
    for (const [what, expected] of Object.entries(own)) {
      if (theirs[what] === expected) continue;
      throw new UserError(
        `${name}.wgsl has the ${what} ${theirs[what] || 'none'}, expected ${expected || 'none'}`,
      );
    }
  }
}

/** What launching a kernel depends on, in words. Constants that are not replaced may be any. */
function interfaceOf(name: string, text: string): Record<string, string> {
  let parsed: ReturnType<typeof parseShader>;
  try {
    parsed = parseShader(name, text);
  } catch (error) {
    throw new UserError((error as Error).message);
  }
  return {
    bindings: parsed.bindings.map(({ name, access }) => `${name} (${access})`).join(', '),
    parameters: parsed.params.map(({ name, type }) => `${name}: ${type}`).join(', '),
  };
}
