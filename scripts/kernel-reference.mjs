// `npm run reference`: docs/kernel-reference.md, made of the kernels, their definitions and the reports in docs/gpus. Needs a build.
//
//   --check   changes nothing; exit code 1 where the page is not what these say
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Philox, parseShader } from '@hrm-webgpu/core';
import { checks, contentsFor } from '@hrm-webgpu/kernels/checks';
import { measuredIn } from './kernel-reference/measured.mjs';
import { usesOf } from './kernel-reference/uses.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const page = join(root, 'docs/kernel-reference.md');

const HEAD = `# Every kernel

Made by \`npm run reference\` from the files in \`shaders/\` and \`packages/kernels/src/defs/\`; \`npm test\` holds it to them. How to
write one: [kernels.md](kernels.md).

Elements are counted in one of the cases that the kernel is checked on. Costs are what its definition says: floating-point operations
(a multiply-add is two), and bytes that must be read and written at least once. A tunable's default stands first; constants that
follow from shapes or adapter are not listed. The share of the roofline is the least time that the adapter's multiply-adds or its
memory allow, over the time taken, at the shapes of the 27 M model; both are measured in the same rounds ([gpus.md](gpus.md)).
`;

/** Markdown's own marks in a plain text. */
const plain = (text) => text.replace(/[\\|<>*[\]]/g, (mark) => `\\${mark}`);
const code = (text) => `\`${text}\``;
const camel = (name) => name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase());

/** The head comment of a shader as Markdown: what is indented in it is a formula. */
function headOf(text) {
  const [, comment = ''] = text.match(/^(?:enable [^\n]*\n|\n)*((?:\/\/[^\n]*\n)+)/) ?? [];
  return comment
    .split('\n')
    .map((line) => line.replace(/^\/\/ ?/, ''))
    .join('\n')
    .trim()
    .replace(/^(?! )[^\n]+(\n(?! )[^\n]+)*/gm, (lines) => `${plain(lines.replaceAll('\n', ' '))}\n`)
    .replace(/^ +(?=\S)/gm, '    ')
    .replace(/\n{3,}|(?<=^ {4}.*)\n(?=\S)/gm, '\n\n')
    .trim();
}

/** What the costs of definitions are computed by, by name: `pairFlops`. */
function helpersIn(folder) {
  const texts = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  const found = texts.flatMap((text) => [
    ...text.matchAll(/^(?:export )?const (\w+) = \([^)]*\) =>\s+([^;]+);$/gm),
  ]);
  return new Map(found.map(([, name, body]) => [name, body.replace(/\s+/g, ' ')]));
}

/** A cost as its definition computes it, and what that is computed by: `5 * rows * width`. */
function formulaOf(cost, helpers) {
  const formula = String(cost)
    .replace(/\s+/g, ' ')
    .replace(/^\([^)]*\) => /, '')
    .replace(/\((params)\)|params\./g, '');
  const used = [...helpers].filter(([name]) => new RegExp(`(?<!\\.)\\b${name}\\b`).test(formula));
  return [code(formula), ...used.map(([name, body]) => `(${code(`${name} = ${body}`)})`)].join(' ');
}

function bindingsOf(check, { bindings }, text) {
  const params = check.cases[Math.min(2, check.cases.length - 1)];
  const contents = contentsFor(check, params, new Philox(1));
  const typeOf = (name) => text.match(new RegExp(`\\b${name}\\s*:\\s*(array<[^;]+>);`))?.[1] ?? '';
  const rows = bindings.map(({ name, access }) =>
    [
      code(name),
      code(typeOf(name)),
      access === 'read' ? 'read' : check.outputs(params)[name] ? 'written' : 'in place',
      shapeText(check, params, name, contents[name].length),
    ].join(' | '),
  );
  const at = Object.entries(params).map(([name, value]) => `${name} ${+value.toPrecision(6)}`);
  return [
    `| binding | type | | elements at ${at.join(', ')} |`,
    '| --- | --- | --- | --- |',
    ...rows.map((row) => `| ${row} |`),
  ].join('\n');
}

function shapeText(check, params, name, elements) {
  const shape = check.outputs(params)[name] ?? check.inPlace?.(params)[name];
  return shape && shape.length > 1 ? shape.join(' × ') : String(elements);
}

function tunablesText({ constants }) {
  const tunables = [...constants.values()].filter(({ candidates }) => candidates.length > 0);
  if (tunables.length === 0) return 'none';
  return tunables
    .map(
      ({ name, value, candidates }) =>
        `${code(name)} ${[value, ...candidates.filter((other) => other !== value)].join(', ')}`,
    )
    .join('; ');
}

function gradientText(kernel, { ops, rules }) {
  const forward = ops.filter(({ kernels }) => kernels.includes(kernel));
  const computed = rules.filter(({ kernels }) => kernels.includes(kernel)).map(({ op }) => code(op));
  const found = rules.filter(({ op }) => forward.some(({ name }) => name === op));
  const parts = [
    ...found.map(
      ({ op, kernels }) => `of ${code(op)}: ${kernels.map((name) => link(name)).join(', ') || 'no kernel'}`,
    ),
    ...(computed.length > 0 ? [`it computes that of ${computed.join(', ')}`] : []),
  ];
  return parts.join('; ') || 'none';
}

function usersText(kernel, { ops, rules, optimizers, within, elsewhere }) {
  const users = [...ops, ...rules, ...optimizers].filter(({ kernels }) => kernels.includes(kernel));
  const files = [
    ...within.filter(({ kernels }) => kernels.includes(kernel)),
    ...elsewhere.filter(({ kernels }) => kernels.includes(camel(kernel))),
  ].map(({ path }) => path);
  const measuring = elsewhere.filter(({ checks }) => checks.includes(kernel)).map(({ path }) => path);
  const all = [...users.map(({ name }) => name), ...files];
  return [...new Set(all.length > 0 ? all : measuring)].map(code).join(', ') || 'nothing here';
}

const link = (name) => `[${name}](#${name})`;

function entryOf(name, { uses, measured, helpers }) {
  const text = textOf(name);
  const shader = parseShader(name, text);
  const { kernel } = checks[name];
  const params = shader.params.map(({ name, type }) => code(`${name}: ${type}`)).join(', ');
  return [
    `## ${name}`,
    '',
    headOf(text),
    '',
    bindingsOf(checks[name], shader, text),
    '',
    `- parameters: ${params || 'none'}`,
    `- tunables: ${tunablesText(shader)}`,
    `- FLOPs: ${formulaOf(kernel.flops, helpers)}`,
    `- bytes: ${formulaOf(kernel.bytes, helpers)}`,
    ...(kernel.madeFor ? [`- made for: ${kernel.madeFor === 'gpu' ? 'GPUs' : 'software adapters'}`] : []),
    `- gradient: ${gradientText(name, uses)}`,
    `- used by: ${usersText(name, uses)}`,
    `- roofline: ${(measured.get(name) ?? ['not measured']).map(plain).join('; ')}`,
    `- files: [shader](../shaders/${name}.wgsl), [definition and check](../packages/kernels/src/defs/${name}.ts)`,
    '',
  ].join('\n');
}

/** A line of the index: a kernel and the first sentence of what it computes. */
function indexRow(name) {
  const [sentence] = headOf(textOf(name)).match(/^.*?(?=(?<!et al)\. |$)/m);
  return `| ${link(name)} | ${sentence.replace(/[.:]$/, '')} |`;
}

const textOf = (name) => readFileSync(join(root, `shaders/${name}.wgsl`), 'utf8');

function reference() {
  const names = Object.keys(checks);
  const known = {
    uses: usesOf(join(root, 'packages')),
    measured: measuredIn(join(root, 'docs/gpus')),
    helpers: helpersIn(join(root, 'packages/kernels/src/defs')),
  };
  const index = ['| kernel | |', '| --- | --- |', ...names.map(indexRow)].join('\n');
  return `${HEAD}\n${index}\n\n${names.map((name) => entryOf(name, known)).join('\n')}`;
}

const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const wanted = reference();
if (!values.check) writeFileSync(page, wanted);
else if (readFileSync(page, 'utf8') !== wanted) {
  console.error('docs/kernel-reference.md is not what the kernels say; run: npm run reference');
  process.exitCode = 1;
}
