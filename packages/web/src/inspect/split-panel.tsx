/** A split of a dataset: what it is, and its examples. */
import { useState } from 'preact/hooks';
import type { SplitShown } from '../reading/api.ts';
import type { ReaderClient } from '../reading/reader-client.ts';
import { byteSize, counted } from '../wording/sizes.ts';
import { ExamplePages, type OnThink } from './example-pages.tsx';

export interface SplitPanelProps {
  name: string;
  shown: SplitShown;
  reader: ReaderClient;
  /** Told the puzzle that somebody wants to see thought about. */
  onThink: OnThink;
}

export function SplitPanel({ name, shown, reader, onThink }: SplitPanelProps) {
  const { bytes, metadata, task, guessed, sets } = shown;
  const [chosen, setChosen] = useState(sets[0].name);
  const set = sets.find((one) => one.name === chosen) ?? sets[0];
  const { seq_len, vocab_size, pad_id, ignore_label_id, num_puzzle_identifiers } = metadata;
  const facts: [string, string][] = [
    ['Size', `${byteSize(bytes)}, checked and sound`],
    ['Task', guessed ? `${task}, by its sizes alone` : task],
    ['Sequence', `${seq_len} tokens of ${vocab_size} kinds`],
    ['Tokens', `padding ${pad_id}, a label that does not count ${ignore_label_id ?? 'none'}`],
    ['Puzzle rows', counted(num_puzzle_identifiers, 'identifier')],
    ...sets.map(({ name: of, groups, puzzles, examples }): [string, string] => [
      `Set “${of}”`,
      `${counted(groups, 'group')}, ${counted(puzzles, 'puzzle')}, ${counted(examples, 'example')}`,
    ]),
  ];
  return (
    <section aria-labelledby="split">
      <h2 id="split">{name}</h2>
      <dl class="facts">
        {facts.map(([label, text]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      {sets.length > 1 && (
        <label class="field">
          <span>Set</span>
          <select value={set.name} onChange={({ currentTarget }) => setChosen(currentTarget.value)}>
            {sets.map((one) => (
              <option key={one.name}>{one.name}</option>
            ))}
          </select>
        </label>
      )}
      {set.examples === 0 ? (
        <p>This set holds no examples.</p>
      ) : (
        <ExamplePages key={`${name} ${set.name}`} {...{ set, task, reader, onThink }} seqLen={seq_len} />
      )}
    </section>
  );
}
