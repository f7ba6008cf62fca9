/**
 * A GPU that computes nothing and takes its time, on the clock of vitest's fake timers: for what depends on how long work
 * takes, and on when a platform notices that it is done.
 */
import { globals } from 'webgpu';
import { parseShader, type ShaderInterface } from '../src/shader.ts';

Object.assign(globalThis, globals);

/** A dispatch as it reached the GPU. */
export interface FakeDispatch {
  name: string;
  /** The fields of the shader's `struct Params`. */
  params: Record<string, number>;
  workgroups: readonly number[];
}

/** A submit, and when the GPU worked on it. */
export interface FakeSubmit {
  dispatches: readonly FakeDispatch[];
  copiedBytes: number;
  /** Uploaded since the submit before. */
  stagedBytes: number;
  start: number;
  end: number;
}

export interface FakeGpuOptions {
  /** Milliseconds of a dispatch. */
  dispatchMs: (dispatch: FakeDispatch) => number;
  /** Milliseconds of a copy. */
  copyMs?: (bytes: number) => number;
  /** Milliseconds that a pipeline takes which is made beside others. */
  compileMs?: number;
  /** The platform looks only so often (and at each submit) whether work is done; else it notices at once. */
  noticeEveryMs?: number;
}

interface FakeBuffer extends GPUBuffer {
  /** Of small buffers that the host writes. */
  contents?: Uint8Array<ArrayBuffer>;
}

interface FakePipeline {
  name: string;
  params: ShaderInterface['params'];
}

type Command =
  | { pipeline: FakePipeline; params: GPUBufferBinding; workgroups: number[] }
  | { copiedBytes: number };

/** Buffers up to this size, parameters among them, have contents. */
const REMEMBERED_BYTES = 2 ** 20;

export class FakeGpu {
  readonly device: GPUDevice;
  readonly submits: FakeSubmit[] = [];
  /** Empty submits, which ask the platform to look. */
  nudges = 0;
  /** How pipelines were made, in order. */
  readonly compiled: ('at once' | 'beside others')[] = [];
  /** The most submits that had not been noticed to be done, and the most bytes that uploads held aside meanwhile. */
  mostUnderWay = 0;
  mostStagedBytes = 0;
  private busyUntil = 0;
  private stagedBytes = 0;
  private readonly unnoticed: FakeSubmit[] = [];
  private waiters: { time: number; resolve: () => void }[] = [];

  constructor(private readonly options: FakeGpuOptions) {
    this.device = this.makeDevice() as unknown as GPUDevice;
    if (options.noticeEveryMs) setInterval(() => this.notice(), options.noticeEveryMs);
  }

  private makeDevice() {
    const limit = 2 ** 31 - 4;
    return {
      queue: this.makeQueue(),
      features: new Set<string>(),
      limits: {
        maxBufferSize: limit,
        maxStorageBufferBindingSize: limit,
        maxComputeWorkgroupsPerDimension: 65535,
        maxComputeInvocationsPerWorkgroup: 256,
        maxComputeWorkgroupStorageSize: 16384,
      },
      adapterInfo: { vendor: 'fake', architecture: '', device: '', description: 'a fake GPU' },
      lost: new Promise(() => {}),
      onuncapturederror: null,
      destroy() {},
      pushErrorScope() {},
      popErrorScope: async () => null,
      createBuffer: (descriptor: GPUBufferDescriptor) => this.makeBuffer(descriptor),
      createShaderModule: ({ code, label }: GPUShaderModuleDescriptor) => {
        const name = String(label).replace('.wgsl', '');
        return { name, params: parseShader(name, code).params };
      },
      createBindGroupLayout: () => ({}),
      createPipelineLayout: () => ({}),
      createComputePipeline: ({ compute }: GPUComputePipelineDescriptor) => {
        this.compiled.push('at once');
        return compute.module;
      },
      createComputePipelineAsync: ({ compute }: GPUComputePipelineDescriptor) => {
        this.compiled.push('beside others');
        return new Promise((resolve) => {
          setTimeout(() => resolve(compute.module), this.options.compileMs ?? 0);
        });
      },
      createBindGroup: ({ entries }: GPUBindGroupDescriptor) => [...entries][0].resource,
      createCommandEncoder: () => makeEncoder(),
    };
  }

  private makeQueue() {
    return {
      writeBuffer: (buffer: FakeBuffer, offset: number, data: ArrayBufferView<ArrayBuffer> | ArrayBuffer) => {
        const bytes = ArrayBuffer.isView(data)
          ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
          : new Uint8Array(data);
        buffer.contents?.set(bytes, offset);
        this.stagedBytes += bytes.length;
      },
      submit: (commandBuffers: unknown) => this.submit((commandBuffers as Command[][]).flat()),
      onSubmittedWorkDone: () => this.until(this.busyUntil),
    };
  }

  private makeBuffer({ size, mappedAtCreation }: GPUBufferDescriptor) {
    const contents = new Uint8Array(size <= REMEMBERED_BYTES || mappedAtCreation ? size : 0);
    return {
      ...(contents.length === size ? { contents } : {}),
      mapAsync: () => this.until(this.busyUntil),
      getMappedRange: (_offset = 0, length = size) =>
        contents.length === size ? contents.buffer : new ArrayBuffer(length),
      unmap() {},
      destroy() {},
    };
  }

  private submit(commands: Command[]): void {
    const { dispatchMs, copyMs = () => 0 } = this.options;
    const dispatches: FakeDispatch[] = [];
    let [ms, copiedBytes] = [0, 0];
    for (const command of commands) {
      if ('copiedBytes' in command) {
        copiedBytes += command.copiedBytes;
        ms += copyMs(command.copiedBytes);
        continue;
      }
      const dispatch = executed(command);
      dispatches.push(dispatch);
      ms += dispatchMs(dispatch);
    }
    const start = Math.max(performance.now(), this.busyUntil);
    this.busyUntil = start + ms;
    const submit = { dispatches, copiedBytes, stagedBytes: this.stagedBytes, start, end: this.busyUntil };
    this.stagedBytes = 0;
    if (ms > 0 || submit.stagedBytes > 0) {
      this.submits.push(submit);
      this.unnoticed.push(submit);
      this.mostUnderWay = Math.max(this.mostUnderWay, this.unnoticed.length);
      const staged = this.unnoticed.reduce((sum, { stagedBytes }) => sum + stagedBytes, 0);
      this.mostStagedBytes = Math.max(this.mostStagedBytes, staged);
      this.noticeAt(this.busyUntil);
    } else this.nudges += 1;
    if (this.options.noticeEveryMs) this.notice();
  }

  /** Resolves when the platform notices that it is so late. */
  private until(time: number): Promise<undefined> {
    return new Promise((resolve) => {
      this.waiters.push({ time, resolve: () => resolve(undefined) });
      this.noticeAt(time);
    });
  }

  /** Has a platform that does not poll notice what is done at a time; timers count whole milliseconds. */
  private noticeAt(time: number): void {
    if (this.options.noticeEveryMs) return;
    setTimeout(() => this.notice(), Math.max(0, Math.ceil(time - performance.now())));
  }

  private notice(): void {
    const now = performance.now();
    while (this.unnoticed.length > 0 && this.unnoticed[0].end <= now) this.unnoticed.shift();
    const due = this.waiters.filter(({ time }) => time <= now);
    this.waiters = this.waiters.filter(({ time }) => time > now);
    for (const { resolve } of due) resolve();
  }
}

function makeEncoder() {
  const commands: Command[] = [];
  let pipeline: FakePipeline;
  let params: GPUBufferBinding;
  return {
    beginComputePass: () => ({
      setPipeline(next: FakePipeline) {
        pipeline = next;
      },
      setBindGroup(_index: number, group: GPUBufferBinding) {
        params = group;
      },
      dispatchWorkgroups(...workgroups: number[]) {
        commands.push({ pipeline, params, workgroups });
      },
      end() {},
    }),
    copyBufferToBuffer(_source: unknown, _from: number, _target: unknown, _to: number, bytes: number) {
      commands.push({ copiedBytes: bytes });
    },
    finish: () => commands,
  };
}

/** A dispatch with the parameters that its uniform buffer holds now. */
function executed({
  pipeline,
  params,
  workgroups,
}: Extract<Command, { workgroups: number[] }>): FakeDispatch {
  const { contents } = params.buffer as FakeBuffer;
  if (!contents) throw new Error(`${pipeline.name}: its parameters are in a buffer without contents`);
  const view = new DataView(contents.buffer, params.offset ?? 0);
  const values = pipeline.params.map(({ name, type }, i) => {
    if (type === 'f32') return [name, view.getFloat32(4 * i, true)];
    return [name, type === 'i32' ? view.getInt32(4 * i, true) : view.getUint32(4 * i, true)];
  });
  return { name: pipeline.name, params: Object.fromEntries(values), workgroups };
}
