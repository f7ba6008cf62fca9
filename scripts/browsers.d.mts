import type { Browser } from 'playwright-core';

/** Chromium on SwiftShader, to be closed by the caller. */
export function launchChromium(): Promise<Browser>;
/** Opens a page in Firefox, in a fresh profile; returns what closes it. */
export function openInFirefox(url: string): () => Promise<void>;
