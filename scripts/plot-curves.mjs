/**
 * Draws learning curves as an SVG: node scripts/plot-curves.mjs OUT.svg 'title' [label=FILE]…
 *
 * A FILE is a run's log.jsonl, or a JSON document {curve: [{step, exact_accuracy}, …]} as in test/fixtures/curve-*.
 * Lines with the same label have one colour.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const [out, title, ...sources] = process.argv.slice(2);
if (sources.length === 0 || !sources.every((source) => source.includes('='))) {
  console.error("usage: node scripts/plot-curves.mjs OUT.svg 'title' LABEL=FILE…");
  process.exit(1);
}

const SIZE = { width: 860, height: 400, left: 60, right: 30, top: 80, bottom: 50 };
const COLOURS = ['#ffb454', '#59c2ff', '#aad94c', '#f07178'];
const FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";

const lines = sources.map((source) => {
  const at = source.indexOf('=');
  return { label: source.slice(0, at), points: readCurve(source.slice(at + 1)) };
});
const labels = [...new Set(lines.map(({ label }) => label))];
const lastStep = Math.max(...lines.flatMap(({ points }) => points.map(([step]) => step)));

/** [step, exact accuracy] by step. */
function readCurve(path) {
  const text = readFileSync(path, 'utf8');
  const entries = path.endsWith('.jsonl')
    ? text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
        .filter(({ kind }) => kind === 'evaluation')
    : JSON.parse(text).curve;
  return entries.map(({ step, exact_accuracy }) => [step, exact_accuracy]);
}

const x = (step) => SIZE.left + (step / lastStep) * (SIZE.width - SIZE.left - SIZE.right);
const y = (share) => SIZE.height - SIZE.bottom - share * (SIZE.height - SIZE.top - SIZE.bottom);
const round = (value) => Math.round(10 * value) / 10;
const escaped = (text) => text.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);

/** Marks on the x axis: four to eight round numbers. */
function stepMarks() {
  const power = 10 ** Math.floor(Math.log10(lastStep));
  const gap = [0.1, 0.2, 0.5, 1, 2].map((f) => f * power).find((f) => lastStep / f <= 8);
  return Array.from({ length: Math.floor(lastStep / gap) + 1 }, (_, i) => Math.round(i * gap));
}

function draw({ label, points }) {
  const colour = COLOURS[labels.indexOf(label) % COLOURS.length];
  const path = points
    .map(([step, share], i) => `${i ? 'L' : 'M'}${round(x(step))} ${round(y(share))}`)
    .join('');
  const dots = points.map(
    ([step, share]) => `<circle cx="${round(x(step))}" cy="${round(y(share))}" r="2.5"/>`,
  );
  return [
    `<g stroke="${colour}" fill="${colour}">`,
    `<path d="${path}" fill="none" stroke-width="1.8"/>`,
    ...dots,
    '</g>',
  ];
}

const text = (at, words, more = '') =>
  `<text x="${round(at[0])}" y="${round(at[1])}" ${more}>${escaped(words)}</text>`;
const svg = [
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE.width} ${SIZE.height}" width="${SIZE.width}" height="${SIZE.height}" font-family="${FONT}" font-size="13" fill="#9aa0ab">`,
  `<title>${escaped(title)}</title>`,
  `<rect width="${SIZE.width}" height="${SIZE.height}" rx="10" fill="#16181d"/>`,
  text([SIZE.left, 34], title, 'fill="#ffffff" font-weight="700"'),
  ...labels.map((label, i) => {
    const left = SIZE.left + i * 260;
    const mark = `<rect x="${left}" y="48" width="18" height="4" fill="${COLOURS[i % COLOURS.length]}"/>`;
    return mark + text([left + 26, 55], label);
  }),
  ...[0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    `<path d="M${SIZE.left} ${round(y(share))}H${SIZE.width - SIZE.right}" stroke="#2b2f38"/>`,
    text([SIZE.left - 8, y(share) + 4], `${100 * share} %`, 'text-anchor="end"'),
  ]),
  ...stepMarks().map((step) => text([x(step), SIZE.height - 28], String(step), 'text-anchor="middle"')),
  text([SIZE.width - SIZE.right, SIZE.height - 10], 'training step', 'text-anchor="end"'),
  ...lines.flatMap(draw),
  '</svg>',
];
writeFileSync(out, `${svg.join('\n')}\n`);
