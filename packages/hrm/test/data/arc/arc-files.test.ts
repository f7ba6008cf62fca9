import { UserError } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { gridRows, UNKNOWN } from '../../../src/data/arc/arc.ts';
import { addSolutions, parseTaskFile } from '../../../src/data/arc/arc-files.ts';

const pair = { input: [[1, 2]], output: [[3]] };
const question = { input: [[4]] };
const parse = (json: unknown) => parseTaskFile(JSON.stringify(json), 'a.json', 'a');

describe('parseTaskFile', () => {
  it('reads one task, many by their names, or pairs alone', () => {
    const task = { train: [pair, pair], test: [pair] };
    const [one] = parse(task);
    expect(one).toMatchObject({ place: 'a.json', task: { name: 'a' } });
    // In the order of their names, as files in a folder come; only the name of its own is another.
    const many = parse({ c: task, b: { ...task, name: 'named' } });
    expect(many.map(({ task }) => task.name)).toEqual(['named', 'c']);
    expect(many.map(({ place }) => place)).toEqual(['a.json, task "b"', 'a.json, task "c"']);
    expect(many[1].task).toEqual({ ...one.task, name: 'c' });
    const [pairs] = parse([pair, pair, pair]);
    expect(pairs.task).toEqual({ name: 'a', train: Array(3).fill(one.task.train[0]), test: [] });
  });

  it.each([
    [5, /^a\.json: is "5", expected a task, tasks by their names, or a list of pairs/],
    [{}, /^a\.json: is "\{\}", expected a task, or tasks by their names/],
    [[], /^a\.json: pairs is "\[\]", expected a list of one or more pairs/],
    [[pair, question], /^a\.json: pairs\[1\]\.output is missing/],
    [[[1]], /^a\.json: pairs\[0\] is "\[1\]", expected an object with "input" and "output"/],
    [{ x: 5 }, /^a\.json, task "x": is "5", expected an object with "train" and "test"/],
    [
      { x: { train: [pair], test: [{ input: [[10]] }] } },
      /^a\.json, task "x": test\[0\]\.input\[0\]\[0\] is "10"/,
    ],
    [{ '\x1b[2J': 1 }, /^a\.json, task "\\u001b\[2J": is "1"/],
  ])('refuses %j', (json, message) => {
    expect(() => parse(json)).toThrow(UserError);
    expect(() => parse(json)).toThrow(message);
  });

  it('refuses what is not JSON', () => {
    expect(() => parseTaskFile('{', 'a.json', 'a')).toThrow(/^a\.json: is not valid JSON/);
    expect(() => parseTaskFile('{"test":\x1b]0;x\x07', 'a.json', 'a')).toThrow(
      /JSON \(Unexpected token '\\u\{1b\}', \P{Cc}*$/u,
    );
  });
});

describe('addSolutions', () => {
  const tasks = () =>
    parse({
      constructor: { train: [pair], test: [question, pair] },
      y: { train: [pair], test: [question] },
    });
  const add = (json: unknown) => {
    const found = tasks();
    addSolutions(found, JSON.stringify(json), 's.json');
    return found.map(({ task }) => task.test.map(({ output }) => output));
  };

  it('puts outputs into tests that lack them', () => {
    const [[first, second], [third]] = add({ constructor: [[[5, 6]], [[7]]] });
    expect(gridRows(first)).toEqual([[5, 6]]);
    expect(gridRows(second)).toEqual([[3]]);
    expect(third).toBe(UNKNOWN);
    expect(add({})[0][0]).toBe(UNKNOWN);
  });

  it.each([
    [{ z: [[[1]]] }, /^s\.json: "z" is none of the tasks/],
    [{ y: 5 }, /^s\.json: "y" is "5", expected a list of outputs/],
    [{ y: [[[1]], [[2]]] }, /^s\.json: "y" has 2 outputs, but a\.json, task "y" has 1 tests/],
    [{ y: [[[10]]] }, /^s\.json: "y"\[0\]\[0\]\[0\] is "10", expected a colour/],
    [[], /^s\.json: is "\[\]", expected outputs by task/],
  ])('refuses %j', (json, message) => {
    expect(() => add(json)).toThrow(UserError);
    expect(() => add(json)).toThrow(message);
  });
});
