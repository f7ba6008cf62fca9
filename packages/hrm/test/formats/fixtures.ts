import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UserError } from '@hrm-webgpu/core';
import { expect } from 'vitest';
import { type ByteSource, bytesSource } from '../../src/formats/files/byte-source.ts';
import type { TensorFile } from '../../src/formats/tensor-file.ts';

/** The path of a file in test/fixtures. */
export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../../../../test/fixtures/${name}`, import.meta.url));
}

export function fixtureBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(fixturePath(name)));
}

/** The UserError that `work` fails with; anything else that it throws, or no error, fails the test. */
export async function userError(work: () => unknown): Promise<UserError> {
  try {
    await work();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  return expect.unreachable('expected a UserError');
}

/**
 * Opens damaged `bytes` and reads every tensor. They may be read or be refused with a UserError, but nothing
 * else may happen, and no read may ask for more than the file has.
 */
export async function survives(
  open: (source: ByteSource) => Promise<TensorFile>,
  bytes: Uint8Array,
): Promise<'read' | 'refused'> {
  const source = bytesSource(bytes, 'damaged');
  let opening = 0;
  const counting: ByteSource = {
    ...source,
    read: (offset, length) => {
      opening += length;
      return source.read(offset, length);
    },
  };
  try {
    const file = await open(counting);
    expect(opening).toBeLessThanOrEqual(2 * bytes.length + 70_000);
    for (const name of file.names) {
      const data = await file.read(name);
      expect(data.byteLength).toBeLessThanOrEqual(bytes.length);
    }
    return 'read';
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message).toMatch(/damaged/);
    expect(error.message.length).toBeLessThan(700);
    return 'refused';
  }
}
