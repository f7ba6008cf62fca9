/** Modules by their path in `src`, the sources of packages/kernels, from the names of its shaders. */
export function exportModules(src: string, names: readonly string[]): Record<string, string>;
