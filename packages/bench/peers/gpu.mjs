/** WebGPU for a peer: Dawn with its defaults, behind `navigator.gpu` as in a browser, with its buffers counted. */
import { create, globals } from 'webgpu';

// stdout belongs to the protocol.
console.log = console.error;
console.info = console.error;

Object.assign(globalThis, globals);
/** Exported so that it stays referenced: Dawn's instance must outlive its devices. */
export const instance = create([]);

/** Bytes of GPU buffers: those that exist, and the most there were since the last reset. */
export const memory = {
  bytes: 0,
  peakBytes: 0,
  resetPeak() {
    this.peakBytes = this.bytes;
  },
};

/** What the peer's adapter says of itself, once the peer has asked for one. */
export const adapterInfo = {};

const requestAdapter = instance.requestAdapter.bind(instance);
instance.requestAdapter = async (options) => {
  const adapter = await requestAdapter(options);
  if (!adapter) return adapter;
  const { vendor, architecture, device, description } = adapter.info;
  Object.assign(adapterInfo, { vendor, architecture, device, description });
  const requestDevice = adapter.requestDevice.bind(adapter);
  adapter.requestDevice = async (descriptor) => countBuffers(await requestDevice(descriptor));
  return adapter;
};

function countBuffers(device) {
  const createBuffer = device.createBuffer.bind(device);
  device.createBuffer = (descriptor) => {
    const buffer = createBuffer(descriptor);
    memory.bytes += descriptor.size;
    memory.peakBytes = Math.max(memory.peakBytes, memory.bytes);
    const destroy = buffer.destroy.bind(buffer);
    let alive = true;
    buffer.destroy = () => {
      if (alive) memory.bytes -= descriptor.size;
      alive = false;
      destroy();
    };
    return buffer;
  };
  return device;
}

Object.defineProperty(globalThis.navigator, 'gpu', { value: instance });
