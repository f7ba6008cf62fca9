/** The limits that the engine keeps to. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupStorageSize',
  'maxComputeWorkgroupsPerDimension',
] as const;

export type DeviceLimits = Readonly<Record<(typeof LIMITS)[number], number>>;

/** Bytes of a binding at the most, whatever the adapter claims: beyond 2³¹ some drivers read zeros. */
export const LARGEST_BINDING = 2 ** 31 - 4;

/** The limits of a device or adapter, as far as the engine uses them. */
export function limitsOf({ limits }: { limits: GPUSupportedLimits }): DeviceLimits {
  const own = Object.fromEntries(LIMITS.map((name) => [name, limits[name]])) as Record<
    (typeof LIMITS)[number],
    number
  >;
  return { ...own, maxStorageBufferBindingSize: Math.min(own.maxStorageBufferBindingSize, LARGEST_BINDING) };
}
