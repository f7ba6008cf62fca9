/** The worker that measures states, beside the one that computes them: neither waits for the other. */
import { Measurer } from './measurer.ts';

export const commands = new Measurer();
