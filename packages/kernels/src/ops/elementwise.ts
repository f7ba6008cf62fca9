import { Tensor, UserError } from '@hrm-webgpu/core';
import { accumulate } from '../defs/accumulate.ts';
import { add as addKernel } from '../defs/add.ts';
import { fill as fillKernel } from '../defs/fill.ts';
import { swiglu as swigluKernel } from '../defs/swiglu.ts';
import { launch } from '../kernel.ts';
import { expectSameShape, expectType, rowsOf } from './shapes.ts';

/**
 * a + b, of equal shapes.
 *
 * @param into takes the result, instead of a new tensor; may share the memory of a, not that of b
 */
export function add(a: Tensor, b: Tensor, into?: Tensor): Tensor {
  expectSameShape('add', a, b);
  if (into) expectSameShape('add', a, into);
  const { device } = a;
  const c = into?.detach() ?? Tensor.empty(device, a.shape);
  if (c.buffer === a.buffer) launch(device, accumulate, { x: b, y: c }, { length: a.size });
  else launch(device, addKernel, { a, b, c }, { length: a.size });
  device.tape.record('add', [a, b], c, []);
  return c;
}

/** Sets every element of an f32 tensor. */
export function fill(y: Tensor, value: number): void {
  expectType('fill', 'the tensor', y, 'f32');
  launch(y.device, fillKernel, { y }, { length: y.size, value });
}

/** silu(gate)·up of gateUp [..., 2·width], gate first → [..., width]. Shazeer, arXiv 2002.05202. */
export function swiglu(gateUp: Tensor): Tensor {
  expectType('swiglu', 'the operand', gateUp, 'f32');
  const { device, shape } = gateUp;
  const width = shape[shape.length - 1] / 2;
  if (!Number.isInteger(width)) {
    throw new UserError(`swiglu: the operand has shape [${shape.join(', ')}], expected an even last extent`);
  }
  const params = { rows: rowsOf(shape), width };
  const y = Tensor.empty(device, [...shape.slice(0, -1), width]);
  launch(device, swigluKernel, { gate_up: gateUp, y }, params);
  device.tape.record('swiglu', [gateUp], y, [gateUp]);
  return y;
}
