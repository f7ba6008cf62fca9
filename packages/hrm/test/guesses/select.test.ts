import { describe, expect, it } from 'vitest';
import { Rounds } from '../../src/guesses/rounds.ts';
import { type Guess, type Rule, select } from '../../src/guesses/select.ts';

/** A guess with an answer of one token. */
function guess(number: number, answer: number, rest: Partial<Guess> = {}): Guess {
  const tokens = Int32Array.of(answer);
  return { ...{ number, checkpoint: 0, symmetry: {}, tokens, segments: 4, qHalt: 0, qContinue: 0 }, ...rest };
}

describe('select', () => {
  it.each<[string, Rule | 'auto', Guess[], number, Rule]>([
    ['the proven one', 'rules', [guess(0, 1), guess(1, 2, { proven: true })], 1, 'rules'],
    [
      'of two proven ones that of fewer segments',
      'rules',
      [guess(0, 1, { proven: true }), guess(1, 2, { proven: true, segments: 3 })],
      1,
      'rules',
    ],
    [
      'of two equal ones the first',
      'rules',
      [guess(0, 1), guess(1, 1, { proven: true }), guess(2, 1, { proven: true })],
      1,
      'rules',
    ],
    [
      'without a proof the first that halts',
      'rules',
      [guess(0, 1, { proven: false }), guess(1, 2, { firstHalt: 3 }), guess(2, 2, { firstHalt: 2 })],
      2,
      'halt-first',
    ],
    [
      'what halts, not what is proven',
      'halt-first',
      [guess(0, 1, { proven: true }), guess(1, 2, { firstHalt: 4 })],
      1,
      'halt-first',
    ],
    [
      'without a halt the surest',
      'auto',
      [guess(0, 1, { qHalt: -2 }), guess(1, 2, { qHalt: -1 })],
      1,
      'best-q',
    ],
    [
      'of equally sure ones the first',
      'best-q',
      [guess(0, 1, { qHalt: 3 }), guess(1, 2, { qHalt: 3 })],
      0,
      'best-q',
    ],
    [
      'the steadiest in the mean',
      'steady',
      [
        guess(0, 1, { changes: [0, 0, 4] }),
        guess(1, 2, { changes: [1, 1, 1] }),
        guess(2, 2, { changes: [1] }),
      ],
      1,
      'steady',
    ],
    [
      'a vote where nothing is known to be steady',
      'steady',
      [guess(0, 1), guess(1, 2), guess(2, 2)],
      1,
      'vote',
    ],
    ['the most frequent', 'vote', [guess(0, 1, { qHalt: 9 }), guess(1, 2), guess(2, 2)], 1, 'vote'],
    ['of equally frequent the surer', 'vote', [guess(0, 1), guess(1, 2, { qHalt: 1 })], 1, 'vote'],
    [
      'of equally sure ones the first to appear',
      'vote',
      [guess(0, 2), guess(1, 1), guess(2, 1), guess(3, 2)],
      0,
      'vote',
    ],
    [
      'not a number that is none',
      'best-q',
      [guess(0, 1, { qHalt: Number.NaN }), guess(1, 2, { qHalt: -9 })],
      1,
      'best-q',
    ],
  ])('takes %s (%s)', (_, rule, guesses, number, decides) => {
    const found = select(guesses, rule);
    expect([found.guess.number, found.rule]).toEqual([number, decides]);
  });
});

describe('rounds', () => {
  const course = (rule: Rule | 'auto', count = 16, rest: { all?: boolean; checked?: boolean } = {}) =>
    new Rounds(count, { rule, checked: true, ...rest });

  it('grow until an answer is proven', () => {
    const rounds = course('rules');
    const sizes: number[] = [];
    for (let round = rounds.nextRound(); round.length > 0; round = rounds.nextRound()) {
      sizes.push(round.length);
      expect(rounds.nextRound()).toEqual([]);
      for (const number of round) rounds.end(guess(number, 1, { proven: number === 5 }));
      expect(rounds.drop()).toEqual([]);
    }
    expect(sizes).toEqual([1, 1, 2, 4]);
    expect(rounds.done).toBe(true);
    expect(rounds.selection).toMatchObject({ guess: { number: 5 }, rule: 'rules' });
  });

  it('end with the last guess', () => {
    const rounds = course('rules', 3);
    for (let round = rounds.nextRound(); round.length > 0; round = rounds.nextRound())
      for (const number of round) rounds.end(guess(number, number, { qHalt: number }));
    expect(rounds.guesses.map(({ number }) => number)).toEqual([0, 1, 2]);
    expect(rounds.selection).toMatchObject({ guess: { number: 2 }, rule: 'best-q' });
  });

  it('are one where every guess counts', () => {
    for (const rounds of [
      course('vote'),
      course('best-q'),
      course('steady'),
      course('rules', 16, { all: true }),
    ])
      expect(rounds.nextRound()).toHaveLength(16);
    expect(course('auto', 16, { checked: false }).nextRound()).toHaveLength(1);
  });

  /** The round of guesses 2 and 3. */
  function third(rule: Rule): Rounds {
    const rounds = course(rule);
    for (const number of [0, 1]) {
      expect(rounds.nextRound()).toEqual([number]);
      rounds.end(guess(number, 1));
    }
    expect(rounds.nextRound()).toEqual([2, 3]);
    return rounds;
  }

  it('wait for a guess that may still come first, whatever ran first', () => {
    const rounds = third('rules');
    rounds.progress({ number: 2, segments: 2 });
    rounds.end(guess(3, 2, { proven: true, segments: 4 }));
    expect(rounds.drop()).toEqual([]);
    expect(rounds.done).toBe(false);
    rounds.end(guess(2, 3, { proven: true, segments: 4 }));
    expect(rounds.selection.guess.number).toBe(2);
  });

  it('drop a guess that cannot come first any more', () => {
    const rounds = third('rules');
    rounds.progress({ number: 2, segments: 4 });
    rounds.end(guess(3, 2, { proven: true, segments: 4 }));
    expect(rounds.drop()).toEqual([2]);
    expect(rounds.done).toBe(true);
    expect(rounds.selection.guess.number).toBe(3);
  });

  it('let the one that halts first think to its end, and drop the others', () => {
    const rounds = third('halt-first');
    rounds.progress({ number: 2, segments: 2 });
    rounds.progress({ number: 3, segments: 2, firstHalt: 2 });
    expect(rounds.drop()).toEqual([2]);
    expect(rounds.done).toBe(false);
    rounds.end(guess(3, 2, { firstHalt: 2 }));
    expect(rounds.done).toBe(true);
    expect(rounds.selection).toMatchObject({ guess: { number: 3 }, rule: 'halt-first' });
  });
});
