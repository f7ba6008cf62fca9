export interface Tools {
  /** Binary of Deno: WebGPU by wgpu and naga. */
  deno: string;
  /** The compiler of TypeScript 5, to be run by Node. */
  tsc: string;
  /** To be run by Node. */
  typedoc: string;
}
export function installTools(say?: (text: string) => void): Tools;
