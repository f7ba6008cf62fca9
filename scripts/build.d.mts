/** Types of what TypeScript imports from `build.mjs`. */
export function embedShaders(): void;
export function compile(): number;
