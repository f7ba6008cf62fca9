// Tries inputs of one target, and tells its parent of them.
import { Allocations, judge } from './judge.mjs';
import { inputOf } from './mutate.mjs';
import { targetOf } from './targets.mjs';

const [name, seed, from, until] = process.argv.slice(2).map((word, i) => (i === 0 ? word : Number(word)));
const target = targetOf(name);
const corpus = target.corpus();
const allocations = new Allocations();
let refused = 0;
for (let at = from; at < until; at++) {
  const input = inputOf(corpus, seed, at);
  let verdict = await judge(target, input, allocations);
  // A machine that does something else is slow now and then; what is slow by itself is so again and again.
  for (let again = 0; verdict.slow && again < 3; again++) verdict = await judge(target, input, allocations);
  if (verdict.refused) refused++;
  const { problem } = verdict;
  if (problem) process.send({ at, refused, problem, input: Buffer.from(input).toString('base64') });
  else if (at % 100 === 0 || at === until - 1) process.send({ at, refused });
}
process.exit(0);
