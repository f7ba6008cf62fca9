import { UserError } from './errors.ts';

/**
 * Reads the declarations of a kernel file, so that its bindings, parameters and tunables are written once,
 * in WGSL. A kernel file is valid WGSL as it stands and uses these conventions:
 *
 *     const TILE_M: u32 = 8; // tune: 4 8 16          a tunable number with its default
 *     alias pack = vec4<f32>; // tune: f32 vec4<f32>  a tunable type
 *     struct Params { rows: u32, eps: f32 }           parameters of one dispatch, 4-byte scalars only
 *     @group(0) @binding(0) var<uniform> params: Params;
 *     @group(0) @binding(1) var<storage, read> x: array<f32>;
 *     fn main(…)                                      the entry point
 */

export interface ShaderBinding {
  name: string;
  index: number;
  access: 'read' | 'read_write';
}

export interface ShaderParam {
  name: string;
  type: 'u32' | 'i32' | 'f32';
}

/** A module-scope `const` or `alias` that may be rewritten. */
export interface ShaderConstant {
  name: string;
  value: string;
  /** From a `// tune:` comment; empty when the value follows from the shapes. */
  candidates: string[];
}

export interface ShaderInterface {
  bindings: ShaderBinding[];
  params: ShaderParam[];
  constants: Map<string, ShaderConstant>;
}

/** A value for a constant of a shader: a number, or a type for an alias. */
export type ConstantValues = Readonly<Record<string, number | string>>;

const BINDING = /@group\(0\)\s*@binding\((\d+)\)\s*var<storage,\s*(read|read_write)>\s*(\w+)\s*:/g;
const UNIFORM = /@group\(0\)\s*@binding\(0\)\s*var<uniform>\s*params\s*:\s*Params;/;
const PARAMS_STRUCT = /struct Params\s*\{([^}]*)\}/;
const CONSTANT = /^(?:const|alias)\s+(\w+)\s*(?::\s*\w+\s*)?=\s*([^;]+);(?:[ \t]*\/\/ tune:([^\n]*))?/gm;

/**
 * The interface of kernel `name` with source `text`.
 *
 * @throws UserError when the file does not follow the conventions above
 */
export function parseShader(name: string, text: string): ShaderInterface {
  const bindings = [...text.matchAll(BINDING)].map((match) => ({
    index: Number(match[1]),
    access: match[2] as ShaderBinding['access'],
    name: match[3],
  }));
  bindings.forEach((binding, position) => {
    if (binding.index === position + 1) return;
    throw new UserError(
      `${name}.wgsl: binding '${binding.name}' has index ${binding.index}, expected ${position + 1}`,
    );
  });
  const struct = text.match(PARAMS_STRUCT)?.[1];
  if (struct === undefined || !UNIFORM.test(text)) {
    throw new UserError(
      `${name}.wgsl: needs 'struct Params' and '@group(0) @binding(0) var<uniform> params: Params;'`,
    );
  }
  const constants = new Map<string, ShaderConstant>();
  for (const [, constant, value, candidates = ''] of text.matchAll(CONSTANT)) {
    constants.set(constant, {
      name: constant,
      value: value.trim(),
      candidates: candidates.trim().split(/\s+/).filter(Boolean),
    });
  }
  return { bindings, params: parseParams(name, struct), constants };
}

function parseParams(shader: string, struct: string): ShaderParam[] {
  const fields = struct
    .replace(/\/\/[^\n]*/g, '')
    .split(',')
    .map((field) => field.trim())
    .filter(Boolean);
  return fields.map((field) => {
    const match = field.match(/^(\w+)\s*:\s*(u32|i32|f32)$/);
    if (!match) throw new UserError(`${shader}.wgsl: parameter '${field}' is not a u32, i32 or f32 scalar`);
    return { name: match[1], type: match[2] as ShaderParam['type'] };
  });
}

/**
 * The text of a shader with the named constants replaced. Lines keep their numbers.
 *
 * @throws UserError for a name the shader does not declare
 */
export function specialize(name: string, text: string, values: ConstantValues): string {
  let result = text;
  for (const [constant, value] of Object.entries(values)) {
    const declaration = new RegExp(`^((?:const|alias)\\s+${constant}\\s*(?::\\s*\\w+\\s*)?=\\s*)[^;]+;`, 'm');
    if (!declaration.test(result)) {
      const known = [...parseShader(name, text).constants.keys()].join(', ') || 'none';
      throw new UserError(`${name}.wgsl has no constant '${constant}' (it has: ${known})`);
    }
    result = result.replace(declaration, `$1${value};`);
  }
  return result;
}
