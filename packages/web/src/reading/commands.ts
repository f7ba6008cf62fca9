/** The worker that reads files: the page stays responsive however large they are. */
import { Reader } from './reader.ts';

export const commands = new Reader();
