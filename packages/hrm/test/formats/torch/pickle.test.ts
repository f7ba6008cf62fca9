import { describe, expect, it } from 'vitest';
import { readPickle } from '../../../src/formats/torch/pickle.ts';
import {
  type PickleDict,
  PickleTuple,
  StorageRef,
  TensorRef,
} from '../../../src/formats/torch/pickle-values.ts';
import { pickle } from '../build.ts';
import { userError } from '../fixtures.ts';

const read = (...body: (readonly number[])[]) => readPickle(pickle.file(...body), 'data.pkl');
const refusal = async (...body: (readonly number[])[]) => (await userError(() => read(...body))).message;
const storage = pickle.storage('FloatStorage', '0', 6);

describe('readPickle', () => {
  it('reads scalars', () => {
    expect(read(pickle.none)).toBe(null);
    expect(read([0x88])).toBe(true);
    expect(read(pickle.false)).toBe(false);
    expect(read([0x4b, 255])).toBe(255);
    expect(read([0x4d, 0, 1])).toBe(256);
    expect(read([0x4a, 0xfe, 0xff, 0xff, 0xff])).toBe(-2);
    expect(read([0x8a, 0])).toBe(0);
    expect(read([0x8a, 1, 0xff])).toBe(-1);
    expect(read([0x8a, 5, 0, 0, 0, 0, 1])).toBe(2 ** 32);
    expect(read([0x47, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0])).toBe(1.5);
    expect(read(pickle.text('\ufeffπ'))).toBe('\ufeffπ');
  });

  it('reads lists, tuples, dicts and the memo', () => {
    expect(read(pickle.emptyList, [0x4b, 1, 0x61, 0x28, 0x4b, 2, 0x4b, 3, 0x65])).toEqual([1, 2, 3]);
    expect(read([0x4b, 1, 0x85])).toEqual(new PickleTuple([1]));
    expect(read([0x4b, 1, 0x4b, 2, 0x86])).toEqual(new PickleTuple([1, 2]));
    expect(read([0x4b, 1, 0x4b, 2, 0x4b, 3, 0x87])).toEqual(new PickleTuple([1, 2, 3]));
    expect(read(pickle.ints([4, 5, 6, 7]))).toEqual(new PickleTuple([4, 5, 6, 7]));
    const dict = read(pickle.emptyDict, pickle.text('__proto__'), [0x4b, 1, 0x73]) as PickleDict;
    expect([...dict.entries]).toEqual([['__proto__', 1]]);
    const memo = [...pickle.text('x'), 0x71, 3, 0x72, 4, 0, 0, 0, 0x68, 3, 0x6a, 4, 0, 0, 0, 0x87];
    expect(read(memo)).toEqual(new PickleTuple(['x', 'x', 'x']));
  });

  it('reads tensors', () => {
    const tensor = read(pickle.tensor(storage, 1, [2, 2], [2, 1])) as TensorRef;
    expect(tensor).toEqual(new TensorRef(new StorageRef('F32', '0', 6), 1, [2, 2], [2, 1]));
    expect(read(pickle.storage('BFloat16Storage', '7', 2 ** 33))).toEqual(
      new StorageRef('BF16', '7', 2 ** 33),
    );
  });

  it('reads parameters as the tensors that they are', () => {
    const tensor = pickle.tensor(storage, 1, [2, 2], [2, 1]);
    expect(read(pickle.parameter(tensor))).toEqual(read(tensor));
  });

  it.each([2, 3, 4, 5])('reads protocol %i', (protocol) => {
    const framed = (...body: (readonly number[])[]) =>
      readPickle(pickle.framed(protocol, ...body), 'data.pkl');
    const [dict] = [framed(pickle.stackGlobal('collections', 'OrderedDict'), pickle.emptyTuple, [0x52])];
    expect((dict as PickleDict).ordered).toBe(true);
    // What was memoized is counted from 0.
    expect(framed(pickle.shortText('a'), pickle.shortText('ü'), [0x68, 0, 0x87])).toEqual(
      new PickleTuple(['a', 'ü', 'a']),
    );
    expect(readPickle(Uint8Array.of(0x80, protocol, 0x4e, 0x2e), 'f')).toBe(null);
  });

  it('ignores the state of an OrderedDict', () => {
    const dict = read(pickle.dict({ a: [0x4b, 1] }), pickle.emptyDict, [0x62]) as PickleDict;
    expect([...dict.entries]).toEqual([['a', 1]]);
  });

  const orderedDict = pickle.global('collections', 'OrderedDict');
  const rebuild = pickle.global('torch._utils', '_rebuild_tensor_v2');
  it.each<[string, readonly number[][], RegExp]>([
    ['os.system', [pickle.global('os', 'system'), pickle.tuple(pickle.text('id')), [0x52]], /"os\.system"/],
    ['builtins.eval', [pickle.global('builtins', 'eval')], /at byte 2: it names "builtins\.eval"/],
    ['another function of torch', [pickle.global('torch', 'load')], /"torch\.load"/],
    [
      'a name that looks allowed',
      [pickle.global('collections.OrderedDict', '')],
      /"collections\.OrderedDict\."/,
    ],
    ['a storage that is not on the list', [pickle.global('torch', 'ComplexFloatStorage')], /ComplexFloat/],
    ['a name without an end', [[0x63, ...new Array(300).fill(97)]], /a name without an end/],
    ['a name with control characters', [pickle.global('\x1b[2J', 'x')], /"\\u001b\[2J\.x"/],
    ['STACK_GLOBAL of another name', [pickle.stackGlobal('os', 'system')], /"os\.system"/],
    [
      'STACK_GLOBAL of the parts of an allowed name',
      [pickle.stackGlobal('torch', '_utils._rebuild_tensor_v2'), pickle.none, [0x52]],
      /without a tuple/,
    ],
    ['STACK_GLOBAL of no strings', [pickle.none, pickle.text('system'), [0x93]], /a name that is no string/],
    ['STACK_GLOBAL of nothing', [pickle.text('system'), [0x93]], /an empty stack/],
    ['a long name', [pickle.text('x'.repeat(1e5)), pickle.text('y'), [0x93]], /it names "x{80}…"/],
    ['BINUNICODE8', [[0x8d, 1, 0, 0, 0, 0, 0, 0, 0, 97]], /opcode 0x8d/],
    ['a short string longer than the file', [[0x8c, 9, 97]], /ends in the middle/],
    ['MEMOIZE of nothing', [[0x94]], /the top of an empty stack/],
    ['NEWOBJ_EX', [[0x92]], /opcode 0x92/],
    ['bytes', [[0x43, 1, 97]], /opcode 0x43/],
    ['a buffer', [[0x97]], /opcode 0x97/],
    ['a parameter of nothing', [pickle.parameter(pickle.none)], /a parameter that is not made of/],
    [
      'a parameter with hooks',
      [pickle.parameter(pickle.tensor(storage, 0, [6], [1]), pickle.dict({ a: pickle.none }))],
      /a parameter that is not made of/,
    ],
    ['INST', [pickle.mark, [0x69, ...Buffer.from('os\nsystem\n')]], /opcode 0x69/],
    ['OBJ', [[0x6f]], /opcode 0x6f/],
    ['NEWOBJ', [orderedDict, pickle.emptyTuple, [0x81]], /opcode 0x81/],
    ['EXT1', [[0x82, 1]], /opcode 0x82/],
    ['PERSID', [[0x50, 0x30, 0x0a]], /opcode 0x50/],
    ['text integers', [[0x49, 0x31, 0x0a]], /opcode 0x49/],
    ['LONG4', [[0x8b, 1, 0, 0, 0, 1]], /opcode 0x8b/],
    ['DUP', [pickle.none, [0x32]], /opcode 0x32/],
    ['a frame cut short', [[0x95, 2, 0, 0, 0, 0, 0]], /ends in the middle/],
    ['another PROTO inside', [[0x80, 4]], /opcode 0x80/],
    [
      'a storage that is called',
      [pickle.global('torch', 'FloatStorage'), pickle.emptyTuple, [0x52]],
      /FloatStorage is called/,
    ],
    [
      'an OrderedDict of something',
      [orderedDict, pickle.tuple(pickle.emptyList), [0x52]],
      /called with 1 argu/,
    ],
    ['a call of a string', [pickle.text('x'), pickle.emptyTuple, [0x52]], /not a name is called/],
    ['arguments that are a list', [orderedDict, pickle.emptyList, [0x52]], /without a tuple/],
    ['a tensor of nothing', [rebuild, pickle.emptyTuple, [0x52]], /a tensor that is not made of/],
    ['a tensor of a number', [pickle.tensor([0x4b, 1], 0, [1], [1])], /a tensor that is not made of/],
    ['a negative offset', [pickle.tensor(storage, -1, [1], [1])], /a tensor that is not made of/],
    ['a negative extent', [pickle.tensor(storage, 0, [-1], [1])], /non-negative/],
    ['a negative stride', [pickle.tensor(storage, 0, [1], [-1])], /non-negative/],
    ['fewer strides than extents', [pickle.tensor(storage, 0, [1, 1], [1])], /2 dimensions, but 1 strides/],
    [
      'a shape of 65 dimensions',
      [pickle.tensor(storage, 0, new Array(65).fill(1), new Array(65).fill(1))],
      /at most 64/,
    ],
    ['a state on a plain dict', [pickle.emptyDict, pickle.emptyDict, [0x62]], /attributes of something else/],
    ['a state on a list', [pickle.emptyList, pickle.emptyDict, [0x62]], /attributes of something else/],
    ['a persistent id that is a string', [pickle.text('storage'), [0x51]], /a persistent id that is not/],
    [
      'a persistent id with another tag',
      [pickle.ints([1, 2, 3, 4, 5]), [0x51]],
      /a persistent id that is not/,
    ],
    [
      'a storage of OrderedDict',
      [
        pickle.tuple(pickle.text('storage'), orderedDict, pickle.text('0'), pickle.text('cpu'), [0x4b, 1]),
        [0x51],
      ],
      /a persistent id/,
    ],
    ['an empty stack', [[0x85]], /takes a value from an empty stack/],
    ['an empty stack to remember', [[0x71, 0]], /uses the top of an empty stack/],
    ['a mark as a value', [pickle.mark, [0x85]], /takes a value from an empty stack/],
    ['a mark that is not there', [[0x74]], /a mark that is not there/],
    ['a memo entry that is not there', [[0x68, 9]], /memo entry 9 is empty/],
    ['a memo index of 2^32 − 1', [pickle.none, [0x72, 255, 255, 255, 255]], /memo index 4294967295/],
    ['append to a dict', [pickle.emptyDict, pickle.none, [0x61]], /not a list/],
    ['an item of a list', [pickle.emptyList, pickle.none, pickle.none, [0x73]], /not a dict/],
    ['a key without a value', [pickle.emptyDict, pickle.mark, [0x4b, 1, 0x75]], /key without a value/],
    ['a list as a key', [pickle.emptyDict, pickle.emptyList, pickle.none, [0x73]], /a dict key that/],
    ['a string longer than the file', [[0x58, 255, 255, 255, 255, 97]], /ends in the middle/],
    ['a string that is not UTF-8', [[0x58, 1, 0, 0, 0, 0xff]], /not UTF-8/],
    ['an integer of 9 bytes', [[0x8a, 9, ...new Array(9).fill(1)]], /an integer of 9 bytes/],
    ['an integer beyond 2^53', [[0x8a, 8, ...new Array(8).fill(0x7f)]], /beyond 2\^53/],
    ['two values', [pickle.none, pickle.none], /unfinished value/],
    ['no value', [], /unfinished value/],
    ['an open mark', [pickle.mark, pickle.none], /unfinished value/],
  ])('refuses %s', async (_, body, message) => {
    const found = await refusal(...body);
    expect(found).toMatch(message);
    expect(found).toMatch(/^data\.pkl: refused pickle, at byte \d+: .*nothing of the pickle was executed\.$/);
    expect(found.length).toBeLessThan(400);
  });

  it('refuses other protocols and what is not a pickle', async () => {
    for (const bytes of [[], [0x80], [0x80, 1, 0x4e, 0x2e], [0x80, 6, 0x4e, 0x2e], [0x4e, 0x2e]]) {
      expect((await userError(() => readPickle(Uint8Array.from(bytes), 'f'))).message).toMatch(
        /protocol 2 to 5|ends in/,
      );
    }
  });

  it('refuses a pickle that ends anywhere before its STOP', async () => {
    const whole = pickle.file(pickle.dict({ a: pickle.tensor(storage, 0, [6], [1]) }));
    for (let length = 0; length < whole.length; length++) {
      const { message } = await userError(() => readPickle(whole.subarray(0, length), 'f'));
      expect(message).toMatch(/^f: refused pickle/);
    }
  });

  it('bounds memory and time', async () => {
    const many = (opcodes: number[], count: number) => new Array(count).fill(opcodes).flat();
    expect(await refusal(many(pickle.mark, 1e5))).toMatch(/more than 256 deep/);
    expect(await refusal(many(pickle.emptyDict, 1e6))).toMatch(/more than 100000 objects/);
    expect(await refusal(many(pickle.emptyTuple, 1e6))).toMatch(/more than 100000 objects/);
    expect(await refusal(pickle.none, many([0x94], 1e6))).toMatch(/memo index 100000/);
    expect((await userError(() => readPickle(new Uint8Array(5e6), 'f'))).message).toMatch(
      /more than any checkpoint/,
    );
    // A tuple of two of the one before, 1000 times over: 2^1000 paths, but only 1000 objects.
    const laughs = many([0x71, 0, 0x68, 0, 0x86], 1000);
    expect(read(pickle.none, laughs)).toBeInstanceOf(PickleTuple);
    // A list that holds itself.
    expect(read(pickle.emptyList, [0x71, 0, 0x68, 0, 0x61])).toHaveLength(1);
  });
});
