import type { BatchTimer, BatchTimes, Work } from './profiler.ts';
import type { Program } from './program.ts';
import type { Copy } from './recording.ts';
import { COPY, Cost, copyWork } from './submits/cost-model.ts';
import type { SubmitQueue } from './submits/submit-queue.ts';

/** A dispatch with everything that WebGPU wants, but perhaps its pipeline. */
export interface EncodedDispatch {
  program: Program;
  work: Work;
  group: GPUBindGroup;
  workgroups: readonly [number, number, number];
}

/** What a batch is made with. */
export interface BatchContext {
  gpu: GPUDevice;
  submits: SubmitQueue;
  /** Times the dispatches, where there is one. */
  profiler: BatchTimer | undefined;
  /** Dispatches of a batch at the most. */
  capacity: number;
}

/** What one submit consists of: dispatches and copies, in as few passes as possible. */
export class CommandBatch {
  private readonly encoder: GPUCommandEncoder;
  private pass: GPUComputePassEncoder | undefined;
  /** Whose pipeline is set. */
  private program: Program | undefined;
  private readonly times: BatchTimes | undefined;
  private readonly cost = new Cost();
  /** How many there are. */
  dispatches = 0;
  /** Predicted for what has been encoded. */
  private ms = 0;

  constructor(private readonly context: BatchContext) {
    this.encoder = context.gpu.createCommandEncoder();
    this.times = context.profiler?.batch();
  }

  /** Whether what takes `ms` may be in the same submit as what is here; always, where nothing is. */
  fits(ms: number): boolean {
    const { submits, capacity } = this.context;
    return this.ms === 0 || (this.ms + ms <= submits.submitMs && this.dispatches < capacity);
  }

  dispatch({ program, work, group, workgroups }: EncodedDispatch, ms: number): void {
    const pass = this.passFor(program.name, work);
    if (program !== this.program) pass.setPipeline(program.pipeline);
    this.program = program;
    pass.setBindGroup(0, group);
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    this.cost.add(program.name, work);
    this.dispatches += 1;
    this.ms += ms;
  }

  copy({ source, target, bytes, targetOffset }: Copy, ms: number): void {
    this.closePass();
    this.encoder.copyBufferToBuffer(source.gpu, 0, target.gpu, targetOffset, bytes);
    this.cost.add(COPY, copyWork(bytes));
    this.ms += ms;
  }

  /** Ends the batch. The result submits it. */
  finish(): () => void {
    this.closePass();
    const submitted = this.times?.resolve(this.encoder);
    const commands = this.encoder.finish();
    return () => {
      this.context.submits.submit([commands], this.cost);
      submitted?.();
    };
  }

  private passFor(name: string, work: Work): GPUComputePassEncoder {
    if (this.times) {
      this.closePass(); // timestamps belong to passes
      this.pass = this.encoder.beginComputePass({ timestampWrites: this.times.timestamps(name, work) });
    }
    this.pass ??= this.encoder.beginComputePass();
    return this.pass;
  }

  private closePass(): void {
    this.pass?.end();
    this.pass = undefined;
    this.program = undefined;
  }
}
