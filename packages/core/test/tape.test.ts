import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { add, gradientRules } from '../../kernels/src/index.ts';
import { backward, type Device, type GradientRule, openDevice, Tensor } from '../src/index.ts';

let device: Device;
let idleBytes: number;
beforeAll(async () => {
  device = await openDevice();
  idleBytes = device.memory.liveBytes;
});
afterAll(() => device.close());

// Every test frees what it made: anything else that is left is a leak of the engine.
afterEach(() => {
  const left = { ops: device.tape.length, tensors: [...device.tensors].map(({ shape }) => shape) };
  const live = device.memory.liveBytes - idleBytes;
  device.tape.clear(); // so that one failure is one failure
  disposeAll(...device.tensors);
  expect({ ...left, live }).toEqual({ ops: 0, tensors: [], live: 0 });
});

/** By identity: what the device knows to be alive. */
const expectAlive = (...tensors: Tensor[]) =>
  expect([...device.tensors].map(({ id }) => id).sort()).toEqual(tensors.map(({ id }) => id).sort());

const parameter = (...values: number[]) => Tensor.from(device, Float32Array.from(values), undefined, true);
const constant = (...values: number[]) => Tensor.from(device, Float32Array.from(values));

const productSource = {
  name: 'product',
  text: `
struct Params { length: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> y: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  if (id.x < params.length) { y[id.x] = a[id.x] * b[id.x]; }
}`,
};

function product(a: Tensor, b: Tensor): Tensor {
  const y = Tensor.empty(device, a.shape);
  const params = { length: a.size };
  device.run({ source: productSource, tensors: { a, b, y }, params, workgroups: [1, 1, 1] });
  return y;
}

/** a·b elementwise: an op that has to keep both operands for its gradient. */
function multiply(a: Tensor, b: Tensor): Tensor {
  const y = product(a, b);
  device.tape.record('multiply', [a, b], y, [a, b]);
  return y;
}

const multiplyGradient: GradientRule = (dy, { saved: [a, b] }) => [product(dy, b), product(dy, a)];

/** The rules of these tests; `own` before the others. */
const withRules = (own: Record<string, GradientRule> = {}) => ({
  add,
  rules: { ...gradientRules.rules, multiply: multiplyGradient, ...own },
});

/** Gradients of Σ outputs for the given parameters, as plain numbers; undefined where there is none. */
async function gradientsOf(outputs: Tensor[], parameters: Tensor[], rules = withRules()) {
  const seeds = outputs.map((output) => constant(...new Array<number>(output.size).fill(1)));
  // Outside any scope, which would clean up after the tape.
  const gradients = backward(
    device,
    outputs.map((of, i) => ({ of, gradient: seeds[i] })),
    rules,
  );
  disposeAll(...seeds);
  const values = await Promise.all(
    parameters.map(async (tensor) => {
      const gradient = gradients.get(tensor);
      return gradient && [...(await gradient.readF32())];
    }),
  );
  for (const gradient of gradients.values()) gradient.dispose();
  return values;
}

const disposeAll = (...tensors: Tensor[]) => {
  for (const tensor of tensors) tensor.dispose();
};

describe('what is recorded', () => {
  it('noGrad records nothing and keeps nothing alive', () => {
    const x = parameter(2, 3);
    const before = { ...device.memory, tensors: device.tensors.size };
    const inside = device.scope(() =>
      device.tape.noGrad(() => {
        multiply(multiply(x, x), x);
        return { length: device.tape.length, live: device.memory.liveBytes };
      }),
    );
    expect(inside.length).toBe(0);
    expect(inside.live).toBeGreaterThan(before.liveBytes);
    expect(device.memory.liveBytes).toBe(before.liveBytes);
    expect(device.tensors.size).toBe(before.tensors);
    x.dispose();
  });

  it('recording resumes after noGrad, also when its body throws, and nests', () => {
    const x = parameter(2);
    const lengths = device.scope(() => {
      expect(() =>
        device.tape.noGrad(() => {
          throw new Error('body');
        }),
      ).toThrow('body');
      device.tape.noGrad(() => {
        device.tape.noGrad(() => multiply(x, x));
        multiply(x, x);
      });
      const without = device.tape.length;
      multiply(x, x);
      return [without, device.tape.length];
    });
    expect(lengths).toEqual([0, 1]);
    device.tape.clear();
    x.dispose();
  });

  it('operands that lead to no parameter leave no trace', () => {
    const [a, b] = [constant(1), constant(2)];
    const y = multiply(a, b);
    expect(device.tape.length).toBe(0);
    expect(device.tape.tracks(y)).toBe(false);
    disposeAll(a, b, y);
  });

  it('detach stops gradients', async () => {
    const [x, w] = [parameter(2, 3), parameter(5, 7)];
    const y = multiply(x, w);
    const cut = y.detach();
    const z = multiply(cut, w); // as if cut were a constant: dz/dw = x·w, dz/dx = 0
    expect(await gradientsOf([z], [x, w])).toEqual([undefined, [10, 21]]);
    disposeAll(x, w, y, cut, z);
  });

  it('tells a rule which gradients are wanted, and drops those that are not', async () => {
    const [x, c] = [parameter(2), constant(3)];
    const seen: (readonly boolean[])[] = [];
    const y = multiply(x, c);
    const z = multiply(c, y);
    const watched: GradientRule = (dy, recorded) => {
      seen.push(recorded.needs);
      return multiplyGradient(dy, recorded);
    };
    expect(await gradientsOf([z], [x, c], withRules({ multiply: watched }))).toEqual([[9], undefined]);
    expect(seen).toEqual([
      [false, true],
      [true, false],
    ]);
    disposeAll(x, c, y, z);
  });
});

describe('backward', () => {
  it('adds up the uses of a tensor, also those that hand on one and the same gradient', async () => {
    const x = parameter(2, -3);
    const square = multiply(x, x); // 2x
    const cube = multiply(square, x); // 3x²
    const twice = add(x, x); // 2, where both operands get the same memory
    expect(await gradientsOf([cube, twice], [x])).toEqual([[14, 29]]);
    disposeAll(x, square, cube, twice);
  });

  it('adds up roots: of two outputs, of one given twice, and of one that leads to another', async () => {
    const [x, w] = [parameter(2), parameter(5)];
    const y = multiply(x, w);
    const z = multiply(y, x); // x²·w
    // d(2y + z) = (2w + 2xw) dx + (2x + x²) dw
    expect(await gradientsOf([y, z, y], [x, w])).toEqual([[30], [8]]);
    disposeAll(x, w, y, z);
  });

  it('leaves the roots and their gradients to the caller', async () => {
    const x = parameter(2);
    const y = multiply(x, x);
    const gradient = constant(10);
    const gradients = backward(device, [{ of: y, gradient }], withRules());
    expect([...(await gradient.readF32())]).toEqual([10]);
    expect([...(await y.readF32())]).toEqual([4]);
    disposeAll(x, y, gradient, ...gradients.values());
  });

  it('a parameter that the roots do not reach has no gradient', async () => {
    const [x, w, unused] = [parameter(2), parameter(5), parameter(1)];
    const reached = multiply(x, x);
    const other = multiply(w, w);
    expect(await gradientsOf([reached], [x, w, unused])).toEqual([[4], undefined, undefined]);
    disposeAll(x, w, unused, reached, other);
  });

  it('a root without parameters behind it gives nothing', async () => {
    const [x, y] = [parameter(2), constant(1)];
    const z = multiply(x, x);
    expect(await gradientsOf([y, z], [y, x])).toEqual([undefined, [4]]);
    disposeAll(x, y, z);
  });

  it('says so where no root has a parameter behind it: none at all, under noGrad, a second time', () => {
    const [x, y] = [parameter(2), constant(1)];
    const nothing = 'backward: no root was computed from a tensor that requiresGrad';
    expect(() => backward(device, [{ of: y }], withRules())).toThrow(nothing);
    const z = device.tape.noGrad(() => multiply(x, x));
    expect(() => backward(device, [{ of: z }], withRules())).toThrow(nothing);
    const square = multiply(x, x);
    const gradients = backward(device, [{ of: square }], withRules());
    expect(() => backward(device, [{ of: square }], withRules())).toThrow(nothing);
    disposeAll(x, y, z, square, ...gradients.values());
  });

  it('starts from 1 where a root has one element and no gradient, and refuses more', async () => {
    const [x, w] = [parameter(3), parameter(1, 2)];
    const y = multiply(x, x);
    const gradients = backward(device, [{ of: y }], withRules());
    expect(await gradients.get(x)?.readF32()).toEqual(Float32Array.of(6));
    const z = multiply(w, w);
    expect(() => backward(device, [{ of: z }], withRules())).toThrow(
      /^backward: tensor \[2\] \(f32, #\d+\) has no gradient to start from: give one of its shape, \{ of, gradient \}/,
    );
    disposeAll(x, w, y, z, ...gradients.values());
  });

  it('frees what was saved, which outlives dispose until then', async () => {
    const x = parameter(2, 3);
    const y = device.scope(() => multiply(multiply(x, x), x));
    // x, y and the intermediate square, which only the tape still holds.
    expect(device.tensors.size).toBe(3);
    expect(device.memory.liveBytes - idleBytes).toBe(3 * 256);
    expect(await gradientsOf([y], [x])).toEqual([[12, 27]]);
    expect(device.tape.length).toBe(0);
    expectAlive(x, y);
    disposeAll(x, y);
  });

  it('frees what was saved, and all gradients, when a rule fails', () => {
    const x = parameter(2);
    const y = device.scope(() => multiply(multiply(multiply(x, x), x), x));
    const gradient = constant(1);
    let calls = 0;
    const failing: GradientRule = (dy, recorded) => {
      calls += 1;
      if (calls === 2) throw new Error('rule');
      return multiplyGradient(dy, recorded);
    };
    const rules = withRules({ multiply: failing });
    expect(() => backward(device, [{ of: y, gradient }], rules)).toThrow('rule');
    expect(device.tape.length).toBe(0);
    expectAlive(x, y, gradient);
    disposeAll(x, y, gradient);
  });

  it('says which op has no rule', () => {
    const x = parameter(2);
    const y = multiply(x, x);
    const gradient = constant(1);
    const rules = { add, rules: {} };
    expect(() => backward(device, [{ of: y, gradient }], rules)).toThrow(
      "there is no gradient rule for 'multiply'",
    );
    disposeAll(x, y, gradient);
  });

  it('clear frees what was saved and forgets what was tracked', () => {
    const x = parameter(2);
    const y = device.scope(() => multiply(multiply(x, x), x));
    expect(device.tape.tracks(y)).toBe(true);
    device.tape.clear();
    expect(device.tape.length).toBe(0);
    expect(device.tape.tracks(y)).toBe(false);
    expectAlive(x, y);
    disposeAll(x, y);
  });
});

describe('scopes', () => {
  it('keep what their result holds, in whatever it is packed, and free the rest', async () => {
    const kept = device.scope(() => {
      constant(0);
      return device.scope(() => {
        constant(1);
        return { a: constant(2), list: [constant(3)], map: new Map([['k', constant(4)]]), text: 'no tensor' };
      });
    });
    const tensors = [kept.a, ...kept.list, ...kept.map.values()];
    expectAlive(...tensors);
    expect(await Promise.all(tensors.map(async (t) => (await t.readF32())[0]))).toEqual([2, 3, 4]);
    disposeAll(...tensors);
  });

  it('pass a result to the enclosing scope, which frees it', () => {
    device.scope(() => {
      device.scope(() => constant(1));
      expect(device.tensors.size).toBe(1);
    });
    expect(device.tensors.size).toBe(0);
  });

  it('free everything when the body throws', () => {
    expect(() =>
      device.scope(() => {
        constant(1);
        device.scope(() => constant(2));
        throw new Error('body');
      }),
    ).toThrow('body');
    expect(device.tensors.size).toBe(0);
  });

  it('do not touch what is made unscoped, and go on afterwards', () => {
    const outlasting = device.scope(() => {
      const made: Tensor[] = [];
      device.unscoped(() => made.push(constant(1)));
      constant(2);
      return () => made;
    });
    expectAlive(...outlasting());
    disposeAll(...outlasting());
  });

  it('a tensor made in no scope and forgotten shows up in device.tensors', () => {
    (() => constant(1, 2, 3))();
    const forgotten = [...device.tensors];
    expect(forgotten.map((tensor) => tensor.shape)).toEqual([[3]]);
    disposeAll(...forgotten);
  });
});

describe('reshape', () => {
  it('shares the memory, passes gradients, and is freed on its own', async () => {
    const x = parameter(1, 2, 3, 4, 5, 6);
    const y = x.reshape([2, 3]);
    expect(y.shape).toEqual([2, 3]);
    expect(y.buffer).toBe(x.buffer);
    expect(device.memory.liveBytes - idleBytes).toBe(256);
    const z = multiply(y, y).reshape([3, 1, 2]);
    const gradients = backward(
      device,
      [{ of: z, gradient: constant(1, 1, 1, 1, 1, 1).reshape([3, 1, 2]) }],
      withRules(),
    );
    const gradient = gradients.get(x);
    expect(gradient?.shape).toEqual([6]);
    expect(await gradient?.readF32()).toEqual(Float32Array.of(2, 4, 6, 8, 10, 12));
    x.dispose();
    expect(await y.readF32()).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6));
    disposeAll(...device.tensors);
  });

  it('keeps the type, and works in a recording', async () => {
    const x = Tensor.from(device, Int32Array.of(1, 2));
    expect(x.reshape([2, 1]).dtype).toBe('i32');
    const a = constant(1, 2, 3, 4);
    const plan = device.record(() => product(a, a).reshape([2, 2]));
    plan.replay();
    expect(await plan.result.readF32()).toEqual(Float32Array.of(1, 4, 9, 16));
    expect(plan.result.shape).toEqual([2, 2]);
    plan.dispose();
    disposeAll(...device.tensors);
  });

  it('refuses other sizes, what is no shape, and freed tensors', () => {
    const x = constant(1, 2, 3, 4, 5, 6);
    expect(() => x.reshape([2, 2])).toThrow(/^reshape: tensor \[6\] \(f32, #\d+\) does not fit \[2,2\]$/);
    expect(() => x.reshape([-2, -3])).toThrow('Tensor: shape is [-2,-3], expected an array of positive');
    expect(() => x.reshape(6 as never)).toThrow('Tensor: shape is 6, expected an array of positive');
    x.dispose();
    expect(() => x.reshape([6])).toThrow('was used after it was freed');
  });
});

describe('freed tensors', () => {
  it('refuse every use', async () => {
    const x = parameter(2);
    x.dispose();
    const freed = /^tensor \[1\] \(f32, #\d+\) was used after it was freed$/;
    expect(() => x.buffer).toThrow(freed);
    expect(() => x.write(Float32Array.of(1))).toThrow(freed);
    expect(() => x.detach()).toThrow(freed);
    await expect(x.read()).rejects.toThrow(freed);
    const y = constant(1);
    expect(() => device.scope(() => multiply(x, y))).toThrow(freed);
    y.dispose();
  });

  it('give their memory back once, however often they are disposed of', () => {
    const [x, y] = [constant(1), constant(2)];
    x.dispose();
    x.dispose();
    expect(device.memory.liveBytes - idleBytes).toBe(256);
    y.dispose();
  });

  it('leave the memory to those who share it', async () => {
    const x = constant(1, 2);
    const shared = x.detach();
    x.dispose();
    const other = constant(8, 9); // would land in the same memory, had it been freed
    expect([...(await shared.readF32())]).toEqual([1, 2]);
    disposeAll(shared, other);
  });
});
