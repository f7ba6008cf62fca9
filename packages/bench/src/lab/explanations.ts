/**
 * Mutants that no input can show, by kernel and by what `lab mutate` calls them, and why. One that is found after all, or
 * that there is no more, makes `lab mutate` fail: an explanation must be true.
 */
export const explanations: Readonly<Record<string, Readonly<Record<string, string>>>> = {};
