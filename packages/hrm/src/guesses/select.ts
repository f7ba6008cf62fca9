/** Which guess is the answer, by what the guesses gave alone: no label is known here. */

/** What a guess came to. */
export interface Guess {
  /** From 0, the puzzle as given. */
  number: number;
  checkpoint: number;
  /** Its symmetry: the index in each family that changes something, by name. */
  symmetry: Readonly<Record<string, number>>;
  /** [seq_len], with the symmetry undone. */
  tokens: Int32Array;
  /** Segments thought. */
  segments: number;
  /** The first segment after which q_halt exceeded q_continue; undefined if none was. */
  firstHalt?: number;
  /** Logits after the last segment. */
  qHalt: number;
  qContinue: number;
  /** ‖logits − those a segment before‖₂ of the last three segments at most; missing where it was not looked at. */
  changes?: readonly number[];
  /** Whether a checker proves the answer; undefined where there is no checker. */
  proven?: boolean;
}

/**
 * In the order in which they are asked:
 * - `rules`: an answer that a checker proves, the one of the fewest segments;
 * - `halt-first`: the guess whose q_halt exceeded q_continue after the fewest segments;
 * - `best-q`: the largest q_halt after the last segment;
 * - `steady`: the smallest mean change of the logits over the last three segments;
 * - `vote`: the most frequent answer, then the one of the highest mean σ(q_halt), then the one that came first.
 *
 * Whatever is equal is decided by the number of the guess.
 */
export const RULES = ['rules', 'halt-first', 'best-q', 'steady', 'vote'] as const;
export type Rule = (typeof RULES)[number];

export interface Selection {
  guess: Guess;
  /** The rule that decided; `only` where there was nothing to choose from. */
  rule: Rule | 'only';
}

const DECIDES: Record<Rule, (guesses: readonly Guess[]) => Guess | undefined> = {
  rules: (guesses) => least(guesses, ({ proven, segments }) => (proven ? segments : undefined)),
  'halt-first': (guesses) => least(guesses, ({ firstHalt }) => firstHalt),
  'best-q': (guesses) => least(guesses, ({ qHalt }) => -qHalt),
  steady: (guesses) => least(guesses, ({ changes }) => meanOf(changes)),
  vote,
};

/**
 * Chooses by a rule, or by the first of those after it that decides.
 *
 * @param guesses in the order of their numbers, one at least
 * @param rule `auto` is the first one
 */
export function select(guesses: readonly Guess[], rule: Rule | 'auto'): Selection {
  for (const next of RULES.slice(rule === 'auto' ? 0 : RULES.indexOf(rule))) {
    const guess = DECIDES[next](guesses);
    if (guess) return { guess, rule: next };
  }
  return { guess: guesses[0], rule: 'vote' };
}

/** The guess with the smallest value, the first of these; those without a value do not count. */
function least(guesses: readonly Guess[], value: (guess: Guess) => number | undefined): Guess | undefined {
  let best: { guess: Guess; value: number } | undefined;
  for (const guess of guesses) {
    const own = value(guess);
    if (own === undefined || Number.isNaN(own)) continue;
    if (!best || own < best.value) best = { guess, value: own };
  }
  return best?.guess;
}

function meanOf(values: readonly number[] | undefined): number | undefined {
  if (!values?.length) return undefined;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function vote(guesses: readonly Guess[]): Guess | undefined {
  const candidates = new Map<string, { first: Guess; votes: number; confidence: number }>();
  for (const guess of guesses) {
    const key = guess.tokens.join();
    const candidate = candidates.get(key) ?? { first: guess, votes: 0, confidence: 0 };
    candidate.votes++;
    candidate.confidence += 1 / (1 + Math.exp(-guess.qHalt));
    candidates.set(key, candidate);
  }
  const mean = ({ confidence, votes }: { confidence: number; votes: number }) => confidence / votes;
  const [best] = [...candidates.values()].sort((a, b) => b.votes - a.votes || mean(b) - mean(a));
  return best?.first;
}
