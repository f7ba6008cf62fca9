/** How the guesses at a puzzle ended, for people: a line each, those of one answer together. */
import type { GridGuess, Solution } from '../../solving/solve-options.ts';
import { bold, dim, green, red } from '../terminal.ts';

/** Lines of text. */
export function guessLines(solution: Solution): string[] {
  const { guesses, guess: chosen, rule } = solution;
  const byAnswer = new Map<string, GridGuess[]>();
  for (const guess of guesses) {
    const key = guess.tokens.join();
    byAnswer.set(key, [...(byAnswer.get(key) ?? []), guess]);
  }
  const groups = [...byAnswer.values()].sort((a, b) => rank(a, chosen) - rank(b, chosen));
  return [
    bold(`guess ${chosen} of ${guesses.length}, by ${rule}, after ${segments(solution.segments)}`),
    ...groups.flatMap((group, i) => [
      `${answerName(i)}${provenText(group[0])}${i === 0 ? '' : dim(`, ${differences(group[0], solution)}`)}`,
      ...group.map((guess) => `  ${lineOf(guess)}`),
    ]),
  ];
}

/** The group of the chosen guess first, then the larger ones. */
function rank(group: readonly GridGuess[], chosen: number): number {
  return group.some(({ guess }) => guess === chosen) ? Number.NEGATIVE_INFINITY : -group.length;
}

function answerName(index: number): string {
  return index === 0 ? 'this answer' : `answer ${index + 1}`;
}

function provenText({ proven }: GridGuess): string {
  if (proven === undefined) return '';
  return proven ? `, ${green('proven')}` : `, ${red('not valid')}`;
}

function differences({ tokens }: GridGuess, { tokens: chosen }: Solution): string {
  const cells = tokens.reduce((sum, token, i) => sum + (token === chosen[i] ? 0 : 1), 0);
  return `${cells} ${cells === 1 ? 'cell differs' : 'cells differ'}`;
}

function lineOf({ guess, checkpoint, symmetry, segments: count, halted, qHalt }: GridGuess): string {
  const names = Object.keys(symmetry);
  const how = [
    ...(checkpoint > 0 ? [`checkpoint ${checkpoint + 1}`] : []),
    ...(names.length > 0 ? [names.join(' ')] : guess === 0 ? ['as given'] : []),
  ];
  const parts = [
    `guess ${String(guess).padEnd(3)}`,
    segments(count).padEnd(11),
    (halted ? 'halts' : 'goes on').padEnd(8),
    `q_halt ${qHalt.toFixed(2).padStart(6)}`,
    dim(how.join(', ')),
  ];
  return parts.join('  ').trimEnd();
}

function segments(count: number): string {
  return `${count} ${count === 1 ? 'segment' : 'segments'}`;
}
