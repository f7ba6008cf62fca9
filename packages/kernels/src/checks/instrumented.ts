/**
 * A kernel as checks run it, to see what adapters forgive.
 *
 * - **Order.** Software adapters run workgroups, and in each the threads up to the next barrier, in ascending order: there, a
 *   stray write is written over by its owner later, and a missing barrier may not be missed. GPUs do it in any order. Where
 *   `params.reversed_order` is 1, workgroup i of n in each dimension does what workgroup n − 1 − i would do, and so do the
 *   threads of each workgroup. (Those of kernels with subgroups do not, as they belong to lanes.)
 * - **Bounds.** What is read out of bounds and thrown away shows in no result; what is written there is lost on one adapter
 *   and somebody else's memory on another. The largest index of each storage array is compared with the array's length, and noted
 *   in one more binding where it is too large.
 *
 * All else is the kernel's own text: its entry point becomes a function that a new one calls, with the ids of who does the
 * work, and indices pass through a function that returns them as they are. Lines keep their numbers.
 */
import { type Device, type HostArray, parseShader, type ShaderSource } from '@hrm-webgpu/core';

/** The parameter that reverses the order. */
export const ORDER_PARAM = 'reversed_order';
/** The binding for indices out of bounds. */
export const NOTES = 'out_of_bounds';

const ENTRY = /@compute\s+@workgroup_size\(([^)]*)\)(\s*)fn main\(([\s\S]*?)\)\s*\{/;
const ARGUMENT = /@builtin\((\w+)\)\s*(\w+)\s*:\s*([\w<>]+)/g;

/**
 * The text of a kernel to be checked.
 *
 * @param room bindings that there is room for: where one more is too many, indices are not noted
 * @throws Error when its entry point is not found
 */
export function instrumented(name: string, text: string, room: number): string {
  const { bindings } = parseShader(name, text);
  const code = text.replace(/\/\/[^\n]*/g, ''); // what comments say is no code
  const entry = code.match(ENTRY);
  if (!entry) throw new Error(`${name}.wgsl: needs '@compute @workgroup_size(…)' and 'fn main(…) {'`);
  const [whole, size, space, list] = entry;
  const plain = list.replace(/@builtin\(\w+\)\s*/g, '');
  let body = code.replace(whole, () => `${space}fn checked_kernel(${plain}) {`);
  const noted = bindings.length < room ? bindings : [];
  noted.forEach(({ name }, i) => {
    body = noting(body, name, i);
  });
  body = body.replace(/(struct Params\s*\{)/, `$1 ${ORDER_PARAM}: u32,`);
  return `${body.trimEnd()}\n${[
    ...(noted.length > 0
      ? [`@group(0) @binding(${noted.length + 1}) var<storage, read_write> ${NOTES}: array<u32>;`]
      : []),
    ...noted.map((_, i) => noteOf(i)),
    entryPoint(
      size,
      [...list.matchAll(ARGUMENT)],
      /\bsubgroup[A-Z]\w*\(/.test(code),
      noted.map(({ name }) => name),
    ),
  ].join(' ')}\n`;
}

/** What has been noted, in words; undefined where all indices were in bounds. */
export function readNotes(notes: HostArray, names: readonly string[]): string | undefined {
  const found = names.flatMap((name, i) =>
    notes[i] > 0 ? [`${name}[${notes[i] - 1}] is out of its bounds`] : [],
  );
  return found.length > 0 ? found.join('; ') : undefined;
}

/** The largest index of an array, in a variable of each thread: more work at every access would take long to compile. */
const noteOf = (i: number) =>
  `var<private> largest_${i}: u32; fn note_${i}(at: u32) -> u32 { largest_${i} = max(largest_${i}, at); return at; }`;

/** The entry point that calls the kernel, and stores what has been noted. */
function entryPoint(
  size: string,
  args: readonly RegExpMatchArray[],
  keepsThreads: boolean,
  arrays: readonly string[],
): string {
  const [x, y = '1', z = '1'] = size
    .split(',')
    .map((extent) => extent.trim())
    .filter(Boolean);
  const extents = `vec3<u32>(${[x, y, z].map((extent) => `u32(${extent})`).join(', ')})`;
  const reversed = (own: string, count: string) => `select(${own}, ${count} - 1u - ${own}, reversed)`;
  const values: Record<string, string> = {
    num_workgroups: 'groups',
    workgroup_id: 'group',
    local_invocation_id: 'local',
    local_invocation_index: 'index',
    global_invocation_id: 'group * extents + local',
  };
  const own = ['num_workgroups', 'workgroup_id', 'local_invocation_id', 'local_invocation_index'];
  const others = args.filter(([, builtin]) => !Object.hasOwn(values, builtin));
  const inputs = [
    ...own.map(
      (builtin) => `@builtin(${builtin}) own_${builtin}: ${builtin.endsWith('index') ? 'u32' : 'vec3<u32>'}`,
    ),
    ...others.map(([, builtin, , type]) => `@builtin(${builtin}) own_${builtin}: ${type}`),
  ];
  const threads = keepsThreads ? 'false' : 'reversed';
  return [
    `@compute @workgroup_size(${size}) fn main(${inputs.join(', ')}) {`,
    `let reversed = params.${ORDER_PARAM} == 1u; let groups = own_num_workgroups; let extents = ${extents};`,
    `let group = ${reversed('own_workgroup_id', 'groups')};`,
    `let local = select(own_local_invocation_id, extents - 1u - own_local_invocation_id, ${threads});`,
    `let index = select(own_local_invocation_index, extents.x * extents.y * extents.z - 1u - own_local_invocation_index, ${threads});`,
    `checked_kernel(${args.map(([, builtin]) => values[builtin] ?? `own_${builtin}`).join(', ')});`,
    ...arrays.map(
      (array, i) =>
        `if (largest_${i} >= arrayLength(&${array})) { ${NOTES}[${i}] = max(largest_${i}, largest_${i} + 1u); }`,
    ),
    '}',
  ].join(' ');
}

/** The text with every index of an array noted, those within indices too. */
function noting(text: string, array: string, binding: number): string {
  let result = '';
  let from = 0;
  for (const match of text.matchAll(new RegExp(`(?<![.\\w])${array}\\[`, 'g'))) {
    if (match.index < from) continue; // within an index that has been done
    const open = match.index + match[0].length;
    const close = closing(text, open);
    const index = noting(text.slice(open, close), array, binding);
    result += `${text.slice(from, open)}note_${binding}(u32(${index}))`;
    from = close;
  }
  return result + text.slice(from);
}

/** Where the bracket that opened before `at` closes. */
function closing(text: string, at: number): number {
  let depth = 1;
  for (let i = at; i < text.length; i++) {
    if (text[i] === '[') depth += 1;
    if (text[i] === ']') depth -= 1;
    if (depth === 0) return i;
  }
  throw new Error(`a bracket is not closed: ${text.slice(at, at + 40)}`);
}

const texts = new Map<string, string>();

/** A kernel as it is checked on a device; of each text it is made once. */
export function instrumentedOf({ name, text }: ShaderSource, { limits }: Device): ShaderSource {
  const made = texts.get(text) ?? instrumented(name, text, limits.maxStorageBuffersPerShaderStage);
  texts.set(text, made);
  return { name, text: made };
}
