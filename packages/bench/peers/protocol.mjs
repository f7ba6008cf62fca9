/**
 * The child's side of the conversation with the benchmark: one JSON object a line. The child greets with
 * {hello: …}; then every request {id, call: 'prepare' | 'run', key, …} is answered, in order, by {id, result} or
 * {id, error}. Tensors travel as {dtype, shape, data: base64}.
 */
import { createInterface } from 'node:readline';

const ARRAYS = { f32: Float32Array, i32: Int32Array };

/** {dtype, shape, data: base64} → {shape, data: typed array} */
export function decodeTensor({ dtype, shape, data }) {
  const bytes = new Uint8Array(Buffer.from(data, 'base64')); // a copy: at offset 0, where 4-byte elements may start
  return { shape, data: new ARRAYS[dtype](bytes.buffer) };
}

/** The inverse, for Float32Array and Int32Array. */
export function encodeTensor({ shape, data }) {
  const dtype = data instanceof Float32Array ? 'f32' : 'i32';
  return {
    dtype,
    shape,
    data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('base64'),
  };
}

const mapValues = (object, change) =>
  Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));

/**
 * Answers requests until stdin ends, which it does when the benchmark dies.
 *
 * `prepare(task, params, tensors)` computes a task once and returns {outputs: {name: {shape, data}}, run}, where
 * `run(times)` computes it that often and returns {ms, peakBytes}.
 */
export async function serve(hello, prepare) {
  const send = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);
  process.stdin.on('end', () => process.exit());
  const tasks = new Map();
  const calls = {
    async prepare({ key, task, params, tensors }) {
      const { outputs, run } = await prepare(task, params, mapValues(tensors, decodeTensor));
      tasks.set(key, run);
      return mapValues(outputs, encodeTensor);
    },
    run: ({ key, times }) => tasks.get(key)(times),
  };
  send({ hello });
  for await (const line of createInterface({ input: process.stdin })) {
    const { id, call, ...request } = JSON.parse(line);
    try {
      send({ id, result: await calls[call](request) });
    } catch (error) {
      send({ id, error: error?.stack ?? String(error) });
    }
  }
}
