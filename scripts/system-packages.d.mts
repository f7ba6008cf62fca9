/** Path of a Chromium for the browser tests, or undefined. */
export function findChromium(): string | undefined;
/** Path of a Firefox for the portability checks, or undefined. */
export function findFirefox(): string | undefined;
