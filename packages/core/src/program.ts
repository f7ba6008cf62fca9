import { resting } from '#gpu';
import { ShaderStage } from './constants.ts';
import { GpuError, UserError } from './errors.ts';
import { type ConstantValues, parseShader, type ShaderInterface, specialize } from './shader.ts';

/** Values for the fields of a shader's `struct Params`. */
export type ParamValues = Readonly<Record<string, number>>;

/** A shader file: its name without `.wgsl`, and its text. */
export interface ShaderSource {
  name: string;
  text: string;
}

/** A shader with its constants fixed, for one device; compiled when it is used first, or prepared for. */
export class Program {
  private compiled: GPUComputePipeline | undefined;
  private preparing: Promise<void> | undefined;

  constructor(
    readonly id: number,
    readonly name: string,
    readonly shader: ShaderInterface,
    readonly layout: GPUBindGroupLayout,
    private readonly compiler: Compiler,
  ) {}

  /** Compiled now unless that has been done. */
  get pipeline(): GPUComputePipeline {
    this.compiled ??= this.compiler.now();
    return this.compiled;
  }

  /** Compiles beside others, unless that has been done; resolves when it is, whether it went well or not. */
  prepare(): Promise<void> | undefined {
    if (this.compiled) return undefined;
    this.preparing ??= this.attempt().then((problem) => {
      if (problem) this.pipeline; // which reports it
    });
    return this.preparing;
  }

  /** Compiles, unless that has been done; resolves to what is wrong, of which nobody else hears. */
  async attempt(): Promise<string | undefined> {
    if (this.compiled) return undefined;
    const { pipeline, problem } = this.compiler.aside();
    try {
      this.compiled = await pipeline;
      return undefined;
    } catch (error) {
      return (await problem) ?? this.compiler.unplaced((error as Error).message);
    }
  }

  /**
   * Writes parameters as the bytes of the shader's `struct Params`, at `byteOffset`.
   *
   * @throws UserError when a field is missing, unknown or not a number
   */
  packParams(values: ParamValues, target: DataView, byteOffset = 0): void {
    const { params } = this.shader;
    params.forEach(({ name, type }, index) => {
      const value = values[name];
      if (typeof value !== 'number' || Number.isNaN(value)) {
        throw new UserError(`${this.name}: parameter '${name}' must be a number, got ${value}`);
      }
      const at = byteOffset + 4 * index;
      if (type === 'f32') target.setFloat32(at, value, true);
      else if (type === 'i32') target.setInt32(at, value, true);
      else target.setUint32(at, value, true);
    });
    for (const name of Object.keys(values)) {
      if (!params.some((param) => param.name === name)) {
        throw new UserError(`${this.name}: unknown parameter '${name}'`);
      }
    }
  }
}

/** The two ways to compile a program. */
interface Compiler {
  /** In the caller's way; errors are reported when they are known. */
  now(): GPUComputePipeline;
  /** Out of the caller's way: rejects where it fails, for what is wrong with the shader where something is. */
  aside(): { pipeline: Promise<GPUComputePipeline>; problem: Promise<string | undefined> };
  /** What went wrong where no line of the shader is to blame, with the shader's name. */
  unplaced(message: string): string;
}

/** Makes programs and keeps them, one per text and set of constants. */
export class ProgramCache {
  /** By what the shader says, as one that has been edited keeps its name. */
  private readonly programs = new Map<string, Map<string, Program>>();
  private made = 0;
  private readonly pending = new Set<Promise<void>>();
  private readonly layouts = new Map<string, { group: GPUBindGroupLayout; pipeline: GPUPipelineLayout }>();

  constructor(
    private readonly device: GPUDevice,
    private readonly onError: (error: Error) => void,
  ) {}

  /** @throws Error for a file that does not follow the conventions, or a constant that it does not have */
  get(source: ShaderSource, constants: ConstantValues): Program {
    const programs = this.programs.get(source.text) ?? new Map<string, Program>();
    this.programs.set(source.text, programs);
    const key = source.name + JSON.stringify(constants);
    const program = programs.get(key) ?? this.make(source, constants);
    programs.set(key, program);
    return program;
  }

  /** Resolves when it is known whether all pipelines made so far are valid. */
  async settled(): Promise<void> {
    await Promise.all(this.pending);
  }

  private make({ name, text }: ShaderSource, constants: ConstantValues): Program {
    const { device } = this;
    const shader = parseShader(name, text);
    const code = specialize(name, text, constants);
    const { group, pipeline: layout } = this.layoutFor(shader);
    // In an error scope, for the module and what is made of it.
    const begin = () => {
      device.pushErrorScope('validation');
      const module = device.createShaderModule({ code, label: `${name}.wgsl` });
      return { label: name, layout, compute: { module, entryPoint: 'main' } };
    };
    const unplaced = (message: string) => describeUnplaced(name, code, constants, message);
    // To be called after all that happens in the scope. Undefined as well when the device is lost, which is reported by itself.
    const problemOf = (module: GPUShaderModule) =>
      device.popErrorScope().then(
        (error) => error && explain(name, code, module, constants, unplaced(error.message)),
        () => {},
      ) as Promise<string | undefined>;
    return new Program(this.made++, name, shader, group, {
      now: () => {
        const descriptor = begin();
        const pipeline = device.createComputePipeline(descriptor);
        this.report(problemOf(descriptor.compute.module));
        return pipeline;
      },
      aside: () => {
        const descriptor = begin();
        const pipeline = resting(device.createComputePipelineAsync(descriptor));
        return { pipeline, problem: problemOf(descriptor.compute.module) };
      },
      unplaced,
    });
  }

  /** Compilation is asynchronous in WebGPU: its errors arrive later, and then fail the device. */
  private report(problem: Promise<string | undefined>): void {
    const outcome = problem.then(
      (message) => message && this.onError(new GpuError(message)),
    ) as Promise<void>;
    this.pending.add(outcome);
    outcome.finally(() => this.pending.delete(outcome));
  }

  private layoutFor(shader: ShaderInterface) {
    const key = shader.bindings.map((binding) => binding.access).join();
    let layout = this.layouts.get(key);
    if (!layout) {
      const uniform: GPUBindGroupLayoutEntry = {
        binding: 0,
        visibility: ShaderStage.COMPUTE,
        buffer: { type: 'uniform' },
      };
      const storage = shader.bindings.map(
        ({ index, access }): GPUBindGroupLayoutEntry => ({
          binding: index,
          visibility: ShaderStage.COMPUTE,
          buffer: { type: access === 'read' ? 'read-only-storage' : 'storage' },
        }),
      );
      const group = this.device.createBindGroupLayout({ entries: [uniform, ...storage] });
      layout = { group, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) };
      this.layouts.set(key, layout);
    }
    return layout;
  }
}

/** What is wrong with a shader, with the place where it is known; `otherwise` where it is not. */
async function explain(
  name: string,
  code: string,
  module: GPUShaderModule,
  constants: ConstantValues,
  otherwise: string,
): Promise<string> {
  const { messages } = await module.getCompilationInfo();
  const first = messages.find((message) => message.type === 'error');
  return first
    ? `${formatCompilationError(name, code, first)}\n(constants: ${JSON.stringify(constants)})`
    : otherwise;
}

function describeUnplaced(name: string, code: string, constants: ConstantValues, message: string): string {
  if (!/\bfn\s+main\s*\(/.test(code)) return `${name}.wgsl: has no entry point 'fn main(…)'`;
  return `${name}.wgsl (constants: ${JSON.stringify(constants)}): ${message}`;
}

/** A compiler's message in a line: naga draws the place below its words, which is done here for all. */
function plain(message: string): string {
  const lines = message.split('\n').map((line) => line.trim());
  const end = lines.findIndex((line) => line.startsWith('┌'));
  return lines
    .slice(0, end < 0 ? undefined : end)
    .filter(Boolean)
    .join(' ');
}

/** `x.wgsl:12:5: message`, with the line and a caret under the column. */
export function formatCompilationError(
  name: string,
  code: string,
  message: Pick<GPUCompilationMessage, 'lineNum' | 'linePos' | 'message'>,
): string {
  const line = code.split('\n')[message.lineNum - 1] ?? '';
  const gutter = String(message.lineNum);
  return [
    `${name}.wgsl:${message.lineNum}:${message.linePos}: ${plain(message.message)}`,
    `  ${gutter} | ${line}`,
    `  ${' '.repeat(gutter.length)} | ${' '.repeat(Math.max(0, message.linePos - 1))}^`,
  ].join('\n');
}
