import type { Plan } from '@hrm-webgpu/core';

type Encode = (encoder: GPUCommandEncoder) => void;

/**
 * What a plan's replay does, by WebGPU calls alone: one command buffer, as few passes as there can be, no pipeline set
 * twice. The least that any engine has to do.
 */
export function plainReplay(gpu: GPUDevice, { commands }: Plan<unknown>): () => void {
  const passes: Encode[] = [];
  let dispatches: { pipeline?: GPUComputePipeline; group: GPUBindGroup; workgroups: readonly number[] }[] =
    [];
  let previous: GPUComputePipeline | undefined;
  const closePass = () => {
    if (dispatches.length > 0) passes.push(passOf(dispatches));
    dispatches = [];
    previous = undefined;
  };
  for (const command of commands) {
    if ('source' in command) {
      closePass();
      const { source, target, bytes, targetOffset } = command;
      const [from, to] = [source.gpu, target.gpu];
      passes.push((encoder) => encoder.copyBufferToBuffer(from, 0, to, targetOffset, bytes));
      continue;
    }
    const { group, workgroups } = command;
    const { pipeline } = command.program;
    dispatches.push({ pipeline: pipeline === previous ? undefined : pipeline, group, workgroups });
    previous = pipeline;
  }
  closePass();
  return () => {
    const encoder = gpu.createCommandEncoder();
    for (const encode of passes) encode(encoder);
    gpu.queue.submit([encoder.finish()]);
  };
}

function passOf(
  dispatches: readonly {
    pipeline?: GPUComputePipeline;
    group: GPUBindGroup;
    workgroups: readonly number[];
  }[],
): Encode {
  return (encoder) => {
    const pass = encoder.beginComputePass();
    for (const { pipeline, group, workgroups } of dispatches) {
      if (pipeline) pass.setPipeline(pipeline);
      pass.setBindGroup(0, group);
      pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    }
    pass.end();
  };
}
