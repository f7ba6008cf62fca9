import { quoted } from '../formats/quote.ts';
import type { FilePart, TensorFile } from '../formats/tensor-file.ts';
import { say } from './terminal.ts';

/** More of a file's other keys are only counted. */
const NAMED = 5;

/** Which weights of a file are taken, and what it holds besides. */
export function describePart({ taken, others }: FilePart): string {
  const named = others.slice(0, NAMED).map(quoted).join(', ');
  const more = others.length > NAMED ? ` and ${others.length - NAMED} more` : '';
  return `those of ${quoted(taken)}${named && `; the file also holds ${named}${more}`}`;
}

/** Says which weights of a checkpoint are taken, where it holds other things too. */
export function announcePart({ name, part }: TensorFile): void {
  if (part) say(`${name}: the weights are ${describePart(part)}`);
}
