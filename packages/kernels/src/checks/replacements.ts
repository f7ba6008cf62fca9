import { type ParamValues, parseShader, type ShaderInterface, UserError } from '@hrm-webgpu/core';
import { checks } from '../checks.gen.ts';
import type { KernelCheck } from './check.ts';

/**
 * Makes sure that shaders can stand in for the engine's own (`openDevice({ shaders })`).
 *
 * @param shaders texts by name
 * @throws UserError for a name that no kernel has, and for bindings, parameters or constants that are others, with both
 */
export function checkReplacements(shaders: ReadonlyMap<string, string>): void {
  for (const [name, text] of shaders) {
    if (!Object.hasOwn(checks, name)) {
      const alike = Object.keys(checks).filter((known) => known.includes(name) || name.includes(known));
      const others = alike.length > 0 ? `; there is ${alike.join(', ')}` : ', as those in shaders/ are';
      throw new UserError(`${name}.wgsl: there is no kernel of that name${others}`);
    }
    const check = checks[name as keyof typeof checks] as unknown as KernelCheck<ParamValues>;
    const theirs = parseShader(name, text);
    const own = interfaceOf(parseShader(name, check.kernel.text));
    for (const [what, words] of Object.entries(interfaceOf(theirs))) expectSame(name, what, words, own[what]);
    const { constants } = theirs;
    const set = constantsSet(check);
    expectAll(name, 'constants', set, (constant) => constants.has(constant));
    const counted = constantsCounted(check).filter((constant) => !set.includes(constant));
    expectAll(name, 'numbers for its grid', counted, (constant) =>
      Number.isFinite(Number(constants.get(constant)?.value)),
    );
  }
}

/** What a launch gives a kernel, in words. */
function interfaceOf({ bindings, params }: ShaderInterface): Record<string, string> {
  return {
    bindings: bindings.map(({ name, access }) => `${name} (${access})`).join(', '),
    parameters: params.map(({ name, type }) => `${name}: ${type}`).join(', '),
  };
}

/** @throws UserError where two descriptions differ */
function expectSame(name: string, what: string, actual: string, expected: string): void {
  if (actual !== expected)
    throw new UserError(`${name}.wgsl has the ${what} ${actual || 'none'}, expected ${expected || 'none'}`);
}

function expectAll(
  name: string,
  what: string,
  needed: readonly string[],
  isThere: (constant: string) => boolean,
) {
  expectSame(name, what, needed.filter(isThere).join(', '), needed.join(', '));
}

/** The constants that a launch or a check sets. Others may be called anything. */
function constantsSet({ kernel, cases, variants = [] }: KernelCheck<ParamValues>): string[] {
  const derived = cases.flatMap((params) =>
    (['gpu', 'software'] as const).map((adapter) => kernel.constants?.(params, adapter) ?? {}),
  );
  return [...new Set([...derived, ...variants].flatMap((constants) => Object.keys(constants)))];
}

/** The constants that the definition counts workgroups by. */
function constantsCounted({ kernel, cases }: KernelCheck<ParamValues>): string[] {
  const used = new Set<string>();
  const noted = new Proxy<Record<string, number>>({}, { get: (_, name) => used.add(String(name)) && 1 });
  for (const params of cases) {
    kernel.workgroups(params, noted);
    kernel.parts?.step(noted);
  }
  return [...used];
}
