export const BROWSER_CONDITIONS: string[];
export const PACKAGES: readonly string[];
export function stagePackages(out: string): Promise<void>;
export function packTarballs(out: string): string[];
