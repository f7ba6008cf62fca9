import { Philox } from '@hrm-webgpu/core';
import { describe, expect, it } from 'vitest';
import { parseYaml, stringifyYaml, type YamlValue } from '../../../src/formats/yaml/yaml.ts';
import { fixtureBytes, userError } from '../fixtures.ts';

const parse = (text: string) => parseYaml(text, 'config.yaml');
const text = (name: string) => new TextDecoder().decode(fixtureBytes(name));
const fixtures = ['tiny-rope', 'tiny-learned', 'tiny-explore', 'tiny-overfit', 'tiny-solved', 'trained-6x6'];

describe('published configurations', () => {
  it.each(fixtures)('%s', (fixture) => {
    const file = text(`${fixture}/all_config.yaml`);
    const config = parse(file) as { arch: Record<string, YamlValue>; [key: string]: YamlValue };
    const { model, loss_type: loss } = JSON.parse(text(`${fixture}/config.json`));
    for (const key of Object.keys(config.arch).filter((key) => key in model)) {
      expect(config.arch[key]).toBe(model[key]);
    }
    expect(config.arch.loss).toEqual({ loss_type: loss, name: 'losses@ACTLossHead' });
    expect(config.data_path).toBe('-');
    // JavaScript has one kind of number: 4.0 is written as 4.
    expect(stringifyYaml(config)).toBe(file.replace(/\.0$/gm, ''));
  });
});

describe('parseYaml', () => {
  it.each<[string, YamlValue]>([
    ['', null],
    ['# only a comment\n\n', null],
    ['---\na: 1\n...\n', { a: 1 }],
    ['\ufeffa: 1\r\nb:\r\n  c: 2\r\n', { a: 1, b: { c: 2 } }],
    ['a:\nb: ~\nc: null # gone\nd: ""', { a: null, b: null, c: null, d: '' }],
    ['a:\n- 1\n- x\nb: 2', { a: [1, 'x'], b: 2 }],
    ['a:\n    - 1\n    -\n    - - 2\n      - 3\n', { a: [1, null, [2, 3]] }],
    ['- a: 1\n  b: 2\n-  c: 3\n', [{ a: 1, b: 2 }, { c: 3 }]],
    ['-\n  a: 1\n- {}\n- []', [{ a: 1 }, {}, []]],
    [
      "a: [1, 2.5, x y, \"q, r\", 'it''s', [null], {b: c}, ]",
      { a: [1, 2.5, 'x y', 'q, r', "it's", [null], { b: 'c' }] },
    ],
    ['{a: 1, "b": true, c d: -}', { a: 1, b: true, 'c d': '-' }],
    ['a: b:c # comment', { a: 'b:c' }],
    ['a: b#c', { a: 'b#c' }],
    ['a: x\n  y z\n\n  w\nb: 1', { a: 'x y z\nw', b: 1 }],
    ["a: 'x\n  y\n\n  z'", { a: 'x y\nz' }],
    ['a: "x\\\n  \\ y\n  z"', { a: 'x y z' }],
    ['"a: b": 1\n\'c\': 2', { 'a: b': 1, c: 2 }],
    ['a: "\\x41\\u00e9\\U0001F600\\n\\t\\"\\\\\\/\\e"', { a: 'Aé😀\n\t"\\/\x1b' }],
    ['__proto__: 1\nconstructor: 2', JSON.parse('{"__proto__": 1, "constructor": 2}')],
    ['just words', 'just words'],
    ['1: a\ntrue: b', { '1': 'a', true: 'b' }],
    ['path: $(HOME)/{x}', { path: '$(HOME)/{x}' }],
  ])('%j', (source, value) => {
    expect(parse(source)).toEqual(value);
  });

  it.each<[string, YamlValue]>([
    ['0', 0],
    ['-17', -17],
    ['+3', 3],
    ['1_000', 1000],
    ['1e-4', 1e-4],
    ['1.0e-4', 1e-4],
    ['1E5', 1e5],
    ['4.0', 4],
    ['.5', 0.5],
    ['1.', 1],
    ['.inf', Infinity],
    ['-.INF', -Infinity],
    ['.nan', Number.NaN],
    ['True', true],
    ['off', false],
    ['yes', true],
    ['Null', null],
    ['1.2.3', '1.2.3'],
    ['e5', 'e5'],
    ['-x', '-x'],
    ['2024-01-02', '2024-01-02'],
    ['nope', 'nope'],
    ['losses@ACTLossHead', 'losses@ACTLossHead'],
  ])('reads the scalar %s', (source, value) => {
    expect(parse(`a: ${source}`)).toEqual({ a: value });
  });

  it('reads a long text as PyYAML folds it', () => {
    const folded = `checkpoint_path: checkpoints/Sudoku-extreme-1k-aug-1000 ACT-torch/HierarchicalReasoningModel_ACTV1
  loose-caracal
data_path: data/sudoku
`;
    expect(parse(folded)).toEqual({
      checkpoint_path:
        'checkpoints/Sudoku-extreme-1k-aug-1000 ACT-torch/HierarchicalReasoningModel_ACTV1 loose-caracal',
      data_path: 'data/sudoku',
    });
  });

  it.each<[string, string, RegExp]>([
    ['a tab', 'a:\n\tb: 1', /line 2: a tab in the indentation/],
    ['a tab in a text', 'a: b\tc', /line 1: a tab/],
    ['a value too deep', 'a: 1\n  b: 2', /line 2: .*bad indentation/],
    ['an item too deep', '- 1\n- a: 1\n   b: 2', /line 3: .*bad indentation/],
    ['a key too deep', 'a:\n  b:\n    c: 1\n   d: 2', /line 4: indented by 3 spaces, expected 2/],
    ['a key between', 'a:\n    b: 1\n  c: 2', /line 3: indented by 2 spaces, expected 0/],
    ['a key twice', 'a: 1\nb: 2\na: 3', /line 3: the key "a" is there twice/],
    ['a key twice in a flow map', '{a: 1, a: 2}', /line 1: the key a is there twice/],
    ['no key', 'a: 1\nb', /line 2: expected "key: value"/],
    ['an item in a map', 'a: 1\n- b', /line 2: expected "key: value"/],
    ['a key in a list', '- a\nb: 1', /line 2: expected nothing more/],
    ['an anchor', 'a: &x 1', /line 1: an anchor/],
    ['an alias', 'a: *x', /line 1: an alias/],
    ['a tag', 'a: !!python/object/apply:os.system ["id"]', /line 1: a tag/],
    ['a tag on a key', '!!x a: 1', /line 1: a tag/],
    ['a tag in a flow list', '[!!x a]', /line 1: expected a value/],
    ['a merge key', '<<: {a: 1}', /line 1: expected a key/],
    ['a block scalar', 'a: |\n  x', /line 1: a block scalar/],
    ['a folded block scalar', 'a: >\n  x', /line 1: a block scalar/],
    ['a directive', '%YAML 1.1\n---\na: 1', /line 1: a directive/],
    ['an explicit key', '? a\n: b', /line 1: an explicit key/],
    ['two documents', 'a: 1\n---\nb: 2', /line 2: more than one document/],
    ['an open quote', "a: 1\nb: 'x\nc: 2", /line 2: a quote is not closed/],
    ['an open bracket', 'a: [1, 2\nb: 3', /line 1: .*must close on its line/],
    ['a wrong bracket', 'a: [1, 2}', /line 1: expected "," or "\]"/],
    ['a stray bracket', 'a: ]', /line 1: a \] without/],
    ['text after a quote', 'a: "x" y', /line 1: unexpected "y" after the value/],
    ['text after a flow list', 'a: [1] 2', /line 1: unexpected "2" after the value/],
    ['a flow map without values', '{a, b}', /line 1: expected ":" and a value after the key a/],
    ['two values on a line', 'a: b: c', /line 1: a second "key: value"/],
    ['a list on its key', 'a: - b', /line 1: unexpected "- b"/],
    ['an unknown escape', 'a: "\\q"', /line 1: \\q is not an escape/],
    ['a code point that does not exist', 'a: "\\U00110000"', /is not an escape/],
    ['an octal number', 'a: 0755', /line 1: 0755 is an octal.*quote it/],
    ['a hexadecimal number', 'a: 0x1F', /hexadecimal/],
    ['a time', 'a: 12:30', /base-60/],
    ['a number beyond 2^53', 'a: 9007199254740993', /beyond ±2\^53/],
    ['text after a comment', 'a: x\n# y\n  z', /line 3: a text goes on after a comment/],
    [
      'deep maps',
      Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /more than 64 deep/,
    ],
    ['deep lists', '- '.repeat(1e5), /more than 64 deep/],
    ['deep flow lists', '['.repeat(1e5), /more than 64 deep/],
  ])('refuses %s', async (_, source, message) => {
    const error = await userError(() => parse(source));
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^config\.yaml, line \d+: /);
  });

  it('is quick with large files, whatever they hold', async () => {
    const long = 2e5;
    for (const source of ['"\n', 'a\n', "'", '[', ' ', '# \n', '\\', '"\\\n', ': ', '-\n', 'a: b\n']) {
      const started = performance.now();
      await userError(() => {
        parse(`k: "${source.repeat(long)}`);
        parse(source.repeat(long));
        parse('a: [');
      });
      expect(performance.now() - started).toBeLessThan(5000);
    }
  });

  it('reads or refuses damaged files, and nothing else', async () => {
    const file = `${text('tiny-rope/all_config.yaml')}list: [1, {a: "b\\n"}]\nitems:\n- 'x ''y'\n- k: ~\n  z: 1e-4\n`;
    const random = new Philox(5);
    const alphabet = '\t\n "\'#-:?[]{},&*!|>%@`\\a1.~\0é';
    for (let i = 0; i < 5000; i++) {
      const characters = [...file];
      for (let edits = 1 + random.below(4); edits > 0; edits--) {
        const edit = random.below(3) ? [alphabet[random.below(alphabet.length)]] : [];
        characters.splice(random.below(characters.length), random.below(2), ...edit);
      }
      try {
        const value = parse(characters.join(''));
        expect(parse(stringifyYaml(value))).toEqual(value);
      } catch (error) {
        expect((error as Error).name).toBe('UserError');
      }
    }
  });
});

describe('stringifyYaml', () => {
  // The right-hand side is what PyYAML 6 reads as the value on the left.
  it.each<[YamlValue, string]>([
    [null, 'null\n'],
    [{}, '{}\n'],
    [[], '[]\n'],
    [
      { lr: 1e-4, tiny: 1e-7, huge: 1e22, neg: -0, inf: -Infinity, nan: Number.NaN },
      'lr: 0.0001\ntiny: 1.0e-7\nhuge: 1.0e+22\nneg: -0.0\ninf: -.inf\nnan: .nan\n',
    ],
    [{ a: { b: [1, 'x', [2], { c: [] }] } }, 'a:\n  b:\n  - 1\n  - x\n  - - 2\n  - c: []\n'],
    [
      { true: 'true', no: 'no', n: '1', e: '1e-4', d: '2024-01-02', '': '' },
      "'true': 'true'\n'no': 'no'\nn: '1'\ne: '1e-4'\nd: '2024-01-02'\n'': ''\n",
    ],
    [
      ["it's", 'a: b', ' x', 'x ', '#', '-', 'é\n"', '😀'],
      "- 'it''s'\n- 'a: b'\n- ' x'\n- 'x '\n- '#'\n- '-'\n- \"\\U000000e9\\U0000000a\\\"\"\n- \"\\U0001f600\"\n",
    ],
  ])('%j', (value, expected) => {
    expect(stringifyYaml(value)).toBe(expected);
    expect(parse(expected)).toEqual(value);
  });

  it('round-trips random values', () => {
    const random = new Philox(6);
    const texts = [
      '',
      'a',
      'b c',
      '- x',
      'k: v',
      '~',
      '1e5',
      "'",
      '"',
      '\\',
      '\n',
      '\t',
      'é',
      '[',
      '#',
      'x #y',
      'null',
    ];
    const scalar = (): YamlValue => {
      const kind = random.below(5);
      if (kind === 0) return null;
      if (kind === 1) return random.below(2) === 1;
      if (kind === 2) return (random.uniform() - 0.5) * 10 ** (random.below(60) - 30);
      return texts[random.below(texts.length)] + texts[random.below(texts.length)];
    };
    const value = (depth: number): YamlValue => {
      const kind = depth > 3 ? 2 : random.below(3);
      const items = Array.from({ length: random.below(4) }, () => (kind === 2 ? null : value(depth + 1)));
      if (kind === 0) return items;
      if (kind === 1) return Object.fromEntries(items.map((item) => [String(scalar()), item]));
      return scalar();
    };
    for (let i = 0; i < 2000; i++) {
      const expected = value(0);
      expect(parse(stringifyYaml(expected))).toEqual(expected);
    }
  });
});
