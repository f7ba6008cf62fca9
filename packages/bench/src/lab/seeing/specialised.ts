/** What the text of a kernel comes to when its constants are fixed. */
import { type Device, Tensor } from '@hrm-webgpu/core';

/** An array in workgroup memory. */
export interface WorkgroupArray {
  name: string;
  /** Of the elements, as WGSL calls it. */
  type: string;
  count: number;
  bytes: number;
}

export interface WorkgroupFacts {
  /** Threads in x, y and z. */
  threads: readonly [number, number, number];
  memory: readonly WorkgroupArray[];
}

const DECLARATION = /^(?:const|alias)\s[^;]+;/gm;
const ARRAY = /var<workgroup>\s*(\w+)\s*:\s*array<([\w<>]+?),\s*([^;]+)>;/g;
const SIZE = /@workgroup_size\(([^)]*)\)/;
const BINDING = /var<storage,\s*\w+>\s*(\w+)\s*:\s*([^;]+);/g;

/** The types of the storage arrays, by binding, in WGSL's words: `array<vec4<f32>>`. */
export function bindingTypes(text: string): Map<string, string> {
  const types = [...text.matchAll(BINDING)].map(
    ([, name, type]) => [name, withoutAliases(text, type)] as const,
  );
  return new Map(types);
}

/** Threads and memory of a workgroup, of a specialised text. The device computes the extents: they are expressions of WGSL. */
export async function workgroupFacts(device: Device, name: string, text: string): Promise<WorkgroupFacts> {
  const code = text.replace(/\/\/[^\n]*/g, '');
  const sizes = (code.match(SIZE)?.[1] ?? '1')
    .split(',')
    .map((extent) => extent.trim())
    .filter(Boolean);
  const arrays = [...code.matchAll(ARRAY)].map(([, array, type, count]) => ({ array, type, count }));
  const values = await evaluate(device, name, code, [...sizes, ...arrays.map(({ count }) => count)]);
  const [x, y = 1, z = 1] = values.slice(0, sizes.length);
  return {
    threads: [x, y, z],
    memory: arrays.map(({ array, type }, i) => {
      const count = values[sizes.length + i];
      const element = withoutAliases(code, type);
      return { name: array, type: element, count, bytes: count * bytesOf(element) };
    }),
  };
}

/** The values of whole-number expressions over the constants of a text. */
async function evaluate(
  device: Device,
  name: string,
  code: string,
  expressions: readonly string[],
): Promise<number[]> {
  const text = [
    ...[...code.matchAll(DECLARATION)].map(([declaration]) => declaration),
    'struct Params { none: u32 }',
    '@group(0) @binding(0) var<uniform> params: Params;',
    '@group(0) @binding(1) var<storage, read_write> values: array<u32>;',
    '@compute @workgroup_size(1) fn main() {',
    ...expressions.map((expression, i) => `values[${i}] = u32(${expression}) + params.none;`),
    '}',
  ].join('\n');
  const values = Tensor.from(device, new Uint32Array(expressions.length));
  try {
    const source = { name: `${name}, its constants`, text };
    device.run({ source, tensors: { values }, params: { none: 0 }, workgroups: [1, 1, 1] });
    return [...(await values.read())];
  } finally {
    values.dispose();
  }
}

function withoutAliases(text: string, type: string): string {
  return type
    .trim()
    .replace(
      /\b\w+\b/g,
      (word) => text.match(new RegExp(`^alias\\s+${word}\\s*=\\s*([^;]+);`, 'm'))?.[1].trim() ?? word,
    );
}

/** Of a scalar or vector of four-byte numbers. */
function bytesOf(type: string): number {
  return 4 * Number(type.match(/^vec(\d)/)?.[1] ?? 1);
}
