import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AdapterDescription, UserError } from '@hrm-webgpu/core';
import { check as matmulCheck } from '@hrm-webgpu/kernels/defs/matmul_workgroup';
import { describe, expect, it } from 'vitest';
import { isaReport } from '../../src/isa/isa.ts';
import { parseShaderReport } from '../../src/isa/isa-parse.ts';
import { type Compiled, compileWithRadv, findRadv } from '../../src/isa/isa-radv.ts';
import { ISA_KERNELS, variantsOf } from '../../src/isa/isa-variants.ts';

/** What Mesa 25.0.7 says of matmul.wgsl with ROWS = 2, PACKS = 1 on polaris10. */
const sample = readFileSync(new URL('radv-matmul.txt', import.meta.url), 'utf8');

describe('parseShaderReport', () => {
  it('reads statistics and the inner of two loops', () => {
    expect(parseShaderReport(sample)).toEqual({
      vgprs: 24,
      sgprs: 48,
      spilledVgprs: 0,
      spilledSgprs: 0,
      ldsBytes: 0,
      waves: 8,
      codeBytes: 604,
      instructions: 132,
      latency: 11752,
      inverseThroughput: 9260,
      // BB6 and BB9: 2 rows × a pack of four; a load of B, two of A, one of a parameter, two of descriptors.
      innerLoop: { fmas: 8, memory: 6, instructions: 35 },
    });
  });

  it('counts instructions that the disassembler does not repeat', () => {
    const repeated = sample.replace('\tv_mac_f32_e32 v13, s20, v20', '$&\n\t(then repeated 3 times)');
    expect(parseShaderReport(repeated).innerLoop).toEqual({ fmas: 11, memory: 6, instructions: 38 });
  });

  it('counts accesses to workgroup memory, and no integer multiply-adds', () => {
    const shared = sample
      .replace('buffer_load_dwordx4 v[20:23]', 'ds_read_b128 v[20:23]')
      .replace('v_mac_f32_e32 v13', 'v_mad_u32_u24 v13');
    expect(parseShaderReport(shared).innerLoop).toMatchObject({ fmas: 7, memory: 6 });
  });

  it('finds no loop where there is none', () => {
    expect(parseShaderReport(sample.replaceAll('s_branch', 's_nop')).innerLoop).toBeNull();
  });

  it('refuses what is not one whole report', () => {
    expect(() => parseShaderReport('')).toThrow('one pipeline from the driver, found 0');
    expect(() => parseShaderReport(sample + sample)).toThrow('found 2');
    expect(() => parseShaderReport(sample.replace(/^LDS size.*\n/m, ''))).toThrow("no 'LDS size'");
  });
});

describe('findRadv', () => {
  it('finds the manifest under either of its names, and says what is missing', () => {
    const folder = mkdtempSync(join(tmpdir(), 'hrm-isa-'));
    try {
      const folders = [join(folder, 'absent'), folder];
      writeFileSync(join(folder, 'lvp_icd.json'), '{}');
      expect(() => findRadv(folders)).toThrow(UserError);
      expect(() => findRadv(folders)).toThrow(/not measured: .*RADV.*mesa-vulkan-drivers/);
      writeFileSync(join(folder, 'radeon_icd.x86_64.json'), '{}');
      expect(findRadv(folders)).toBe(join(folder, 'radeon_icd.x86_64.json'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

it('a kernel is compiled for both directions of A, with its defaults first', () => {
  const variants = variantsOf(matmulCheck);
  expect(variants[0]).toEqual({
    kernel: 'matmul_workgroup',
    constants: { pack: 'vec4<f32>', PACK: 4, a_pack: 'vec4<f32>', A_PACK: 4, A_ALONG_K: 'true' },
  });
  expect(variants.map(({ constants }) => constants.A_ALONG_K)).toContain('false');
  expect(variants.map(({ constants }) => constants.THREADS_Y)).toContain(16);
});

it('a kernel is compiled with each value for tuning, where GPUs are offered it', () => {
  const tuned = variantsOf(matmulCheck).filter((variant) => variant.tuned);
  const values = new Set(tuned.map(({ constants, tuned = '' }) => `${tuned}=${constants[tuned]}`));
  expect([...values]).toEqual(['ROWS=4', 'PACKS=2', 'THREADS_X=8', 'THREADS_Y=16', 'TILE_K=16']);
  const { kernel, ...rest } = matmulCheck;
  const software = variantsOf({ ...rest, kernel: { ...kernel, madeFor: 'software' } });
  expect(software.filter((variant) => variant.tuned)).toEqual([]);
});

it('the table shows a value for tuning only where it spills or changes the occupancy; the bar counts it', () => {
  const stats = parseShaderReport(sample);
  const compiled: Compiled[] = [
    { kernel: 'matmul_workgroup', constants: { PACK: 4 }, ...stats },
    { kernel: 'matmul_workgroup', constants: { PACK: 4, ROWS: 4 }, tuned: 'ROWS', ...stats },
    { kernel: 'matmul_workgroup', constants: { PACK: 4, ROWS: 8 }, tuned: 'ROWS', ...stats, waves: 2 },
    {
      kernel: 'matmul_workgroup',
      constants: { PACK: 4, ROWS: 16 },
      tuned: 'ROWS',
      ...stats,
      spilledVgprs: 3,
    },
  ];
  const ruledOut = [{ kernel: 'matmul_workgroup', constants: { ROWS: 32 }, tuned: 'ROWS' }];
  const adapter: AdapterDescription = {
    vendor: 'amd',
    architecture: 'gcn-4',
    device: '',
    description: 'radv',
    class: 'gpu',
    subgroupMinSize: 64,
  };
  const report = isaReport({ plan: { adapter, variants: [], skipped: [] }, compiled, ruledOut });
  expect(report.table.map(([name, , , spills]) => [name, spills])).toEqual([
    ['kernel', 'spills'],
    ['matmul_workgroup', '0'],
    ['matmul_workgroup ROWS=8', '0'],
    ['matmul_workgroup ROWS=16', '3 !'],
    ['1 more values for tuning', ''],
  ]);
  expect(report.skipped).toEqual([
    'matmul_workgroup ROWS=32: ruled out by the kernel at some of these sizes',
  ]);
  expect(report.results.length).toBe(4);
  expect(report.bars[0]).toMatchObject({ ours: 3, peer: 4, ok: false });
});

it('only the kernels that are named are compiled, and only their bars are judged', async (context) => {
  try {
    findRadv();
  } catch (error) {
    context.skip((error as Error).message);
  }
  const compilation = await compileWithRadv(['relu', 'softmax']);
  expect(new Set(compilation.compiled.map(({ kernel }) => kernel))).toEqual(new Set(['relu', 'softmax']));
  expect(isaReport(compilation).bars).toMatchObject([{ ok: true }]);
  expect(isaReport({ ...compilation, compiled: [] }).bars).toEqual([]);
});

it('RADV compiles every kernel without spills for GPUs, and matmul_workgroup to a good inner loop', async (context) => {
  try {
    findRadv();
  } catch (error) {
    context.skip((error as Error).message);
  }
  const { plan, compiled, ruledOut } = await compileWithRadv(ISA_KERNELS);
  expect(plan.adapter.vendor).toBe('amd');
  expect(compiled.length + ruledOut.length).toBe(plan.variants.length);
  const spilling = compiled.filter(
    ({ madeFor, spilledVgprs, spilledSgprs }) => madeFor !== 'software' && spilledVgprs + spilledSgprs > 0,
  );
  expect(spilling.map(({ kernel, constants }) => [kernel, constants])).toEqual([]);
  expect(ruledOut.every(({ tuned }) => tuned !== undefined)).toBe(true);
  const products = compiled.filter(({ kernel, tuned }) => kernel === 'matmul_workgroup' && !tuned);
  expect(products.length).toBe(2 * (1 + (matmulCheck.variants?.length ?? 0)));
  for (const { waves, innerLoop } of products) {
    expect(waves).toBeGreaterThanOrEqual(2);
    expect((innerLoop?.fmas ?? 0) / (innerLoop?.memory ?? 1)).toBeGreaterThanOrEqual(8);
  }
});
