/** What somebody may have meant. */

function trigrams(text: string): Set<string> {
  const padded = `  ${text.slice(0, 200)}  `;
  const found = new Set<string>();
  for (let i = 0; i + 3 <= padded.length; i++) found.add(padded.slice(i, i + 3));
  return found;
}

/** Up to three of `names` that look most like `wanted`, by shared runs of three characters. */
export function closest(wanted: string, names: Iterable<string>): string[] {
  return ranked(wanted, names)
    .slice(0, 3)
    .map(({ name }) => name);
}

/** Names that share less with a word than this, of 0.5, are not like it. */
const ALIKE = 0.2;

/** ` Did you mean 'x'?`, or nothing where no name is like the word. */
export function didYouMean(wanted: string, names: Iterable<string>): string {
  const [best] = ranked(wanted.toLowerCase(), names);
  return best && best.score >= ALIKE ? ` Did you mean '${best.name}'?` : '';
}

/** The score is half the share of runs that two words have in common (Dice). */
function ranked(wanted: string, names: Iterable<string>): { name: string; score: number }[] {
  const target = trigrams(wanted);
  return [...names]
    .map((name) => {
      const own = trigrams(name);
      const shared = [...own].filter((gram) => target.has(gram)).length;
      return { name, score: shared / (own.size + target.size) };
    })
    .sort((a, b) => b.score - a.score);
}
