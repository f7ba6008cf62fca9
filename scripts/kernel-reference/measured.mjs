// What the reports in docs/gpus say of kernels: the share of the roofline, by kernel.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { matmulOperation } from '@hrm-webgpu/kernels';
import { standardChoice } from '@hrm-webgpu/kernels/operation';

/** Any product: which kernel multiplies follows from the adapter. */
const PRODUCT = { m: 656, n: 512, k: 512, a_row: 512, a_column: 1 };

/** By kernel, a line for each adapter on which it was measured. */
export function measuredIn(folder) {
  const lines = new Map();
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  for (const name of names.sort()) {
    const report = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    const document = report.documents.find(({ benchmark }) => benchmark === 'kernels');
    if (!document) continue;
    for (const [kernel, results] of resultsByKernel(document))
      lines.set(kernel, [...(lines.get(kernel) ?? []), lineOf(report.environment, results)]);
  }
  return lines;
}

/** Results of `bench kernels` are named like their kernel, but for the products, which the engine's choice computes. */
function resultsByKernel({ results, environment: { adapter } }) {
  const { kernel: multiplies } = standardChoice(matmulOperation, { adapter, unfit: new Map() }, PRODUCT);
  return grouped(results, ({ name }) => (name.startsWith('matmul ') ? multiplies : name));
}

function grouped(values, keyOf) {
  const groups = new Map();
  for (const value of values) groups.set(keyOf(value), [...(groups.get(keyOf(value)) ?? []), value]);
  return groups;
}

function lineOf({ adapter, load }, results) {
  const shares = results.map(({ share }) => Math.round(100 * share));
  const percent = (share) => (share < 1 ? 'less than 1' : String(share));
  const [low, high] = [Math.min(...shares), Math.max(...shares)];
  const bounds = [...new Set(results.map(({ bound }) => bound))].join(' or ');
  const circumstances = load > 0.5 ? `, on a shared machine (load ${load.toFixed(1)})` : '';
  return `${low === high ? percent(low) : `${percent(low)}–${high}`} % of the ${bounds} roof on ${adapter.description || adapter.device}${circumstances}`;
}
