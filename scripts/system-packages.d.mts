/** Path of a Chromium for the browser tests, or undefined. */
export function findChromium(): string | undefined;
/** Path of a Firefox for the portability checks, or undefined. */
export function findFirefox(): string | undefined;
/** Installs Firefox by apt; returns why this release has none to install, where it has none. */
export function installFirefox(say: (text: string) => void): string | undefined;
