import type { Browser, LaunchOptions } from 'playwright-core';

/** How Playwright starts Chromium, with WebGPU on SwiftShader. */
export function chromiumLaunchOptions(): LaunchOptions;
/** Chromium on SwiftShader, to be closed by the caller. */
export function launchChromium(): Promise<Browser>;
/** Opens a page in Firefox, in a fresh profile; returns what closes it. */
export function openInFirefox(url: string): () => Promise<void>;
