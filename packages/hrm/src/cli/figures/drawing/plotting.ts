/** The library that draws, which nothing but this command needs, and loads. */
import { UserError } from '@hrm-webgpu/core';

/** Observable Plot, and a document for it to draw in. */
export interface Plotting {
  Plot: typeof import('@observablehq/plot');
  document: Document;
}

const PACKAGES = ['@observablehq/plot', 'linkedom'] as const;

async function loadPackages() {
  const [Plot, { parseHTML }] = await Promise.all([import('@observablehq/plot'), import('linkedom')]);
  return { Plot, document: parseHTML('<!doctype html><html><body></body></html>').document };
}

/** @throws UserError that says what to install where it is missing */
export async function loadPlotting(load: () => Promise<Plotting> = loadPackages): Promise<Plotting> {
  try {
    return await load();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw cause;
    throw new UserError(
      `figures are drawn by Observable Plot, which is not here: npm install ${PACKAGES.join(' ')}`,
      {
        cause,
      },
    );
  }
}
