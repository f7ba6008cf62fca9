/** Builds the page once. */
export function buildPage(options?: {
  watch?: boolean;
  outDir?: string;
  logLevel?: 'error' | 'warn' | 'info';
}): Promise<unknown>;
/** Serves what has been built, as a static server would; returns its address and what closes it. */
export function servePage(options?: {
  port?: number;
  outDir?: string;
  base?: string;
}): Promise<{ url: string; close(): Promise<void> }>;
