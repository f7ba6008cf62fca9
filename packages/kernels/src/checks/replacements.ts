import { type ParamValues, parseShader, UserError } from '@hrm-webgpu/core';
import { checks } from '../checks.gen.ts';
import { expectSame, expectSameInterface } from '../interface.ts';
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
    expectSameInterface(name, check.kernel.text, text);
    const { constants } = parseShader(name, text);
    const set = constantsSet(check);
    expectAll(name, 'constants', set, (constant) => constants.has(constant));
    const counted = constantsCounted(check).filter((constant) => !set.includes(constant));
    expectAll(name, 'numbers for its grid', counted, (constant) =>
      Number.isFinite(Number(constants.get(constant)?.value)),
    );
  }
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
