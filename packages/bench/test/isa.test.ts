import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@hrm-webgpu/core';
import { check as matmulCheck } from '@hrm-webgpu/kernels/defs/matmul_workgroup';
import { describe, expect, it } from 'vitest';
import { parseShaderReport } from '../src/isa-parse.ts';
import { compileWithRadv, findRadv } from '../src/isa-radv.ts';
import { variantsOf } from '../src/isa-variants.ts';

/** What Mesa 25.0.7 says of matmul.wgsl with ROWS = 2, PACKS = 1 on polaris10. */
const sample = readFileSync(new URL('fixtures/radv-matmul.txt', import.meta.url), 'utf8');

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

it('RADV compiles every kernel, and matmul_workgroup to a good inner loop without spills', async (context) => {
  try {
    findRadv();
  } catch (error) {
    context.skip((error as Error).message);
  }
  const { plan, compiled } = await compileWithRadv();
  expect(plan.adapter.vendor).toBe('amd');
  expect(compiled.length).toBe(plan.variants.length);
  const products = compiled.filter(({ kernel }) => kernel === 'matmul_workgroup');
  expect(products.length).toBe(2 * (1 + (matmulCheck.variants?.length ?? 0)));
  for (const { spilledVgprs, spilledSgprs, waves, innerLoop } of products) {
    expect(spilledVgprs + spilledSgprs).toBe(0);
    expect(waves).toBeGreaterThanOrEqual(2);
    expect((innerLoop?.fmas ?? 0) / (innerLoop?.memory ?? 1)).toBeGreaterThanOrEqual(8);
  }
});
