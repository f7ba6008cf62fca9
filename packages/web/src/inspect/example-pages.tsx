/** A set's examples, a page at a time, those of one puzzle and its augmented copies together. */
import type { Task } from 'hrm-webgpu';
import { useCallback, useRef, useState } from 'preact/hooks';
import { Board } from '../boards/board.tsx';
import type { Example, ExampleGroup, SetSizes } from '../reading/examples.ts';
import type { ReaderClient } from '../reading/reader-client.ts';
import { counted, whole } from '../wording/sizes.ts';
import { useAnswer } from './use-answer.ts';

export interface ExamplePagesProps {
  set: SetSizes;
  task: Task;
  seqLen: number;
  reader: ReaderClient;
  /** Undefined where nothing can be thought. */
  onThink: OnThink;
}

export type OnThink = ((grid: number[][]) => void) | undefined;

/** Cells on a page: more of them are slow to draw. */
const MOST_CELLS = 4000;
const MOST_EXAMPLES = 12;

const pageSize = (seqLen: number) =>
  Math.max(1, Math.min(MOST_EXAMPLES, Math.floor(MOST_CELLS / (2 * seqLen))));

export function ExamplePages({ set, task, seqLen, reader, onThink }: ExamplePagesProps) {
  const [first, setFirst] = useState(0);
  const size = pageSize(seqLen);
  const ask = useCallback(() => reader.examples(set.name, first, size), [reader, set.name, first, size]);
  const answer = useAnswer(ask);
  // A page stays until the next one is here.
  const latest = useRef<ExampleGroup[]>([]);
  if (answer.state === 'there') latest.current = answer.value;
  const groups = latest.current;
  const go = (number: number) => setFirst(Math.max(0, Math.min(set.examples - 1, number)));
  const toGroup = async (group: number) => go(await reader.firstOfGroup(set.name, group));
  const last = Math.min(first + size, set.examples);
  return (
    <>
      <nav class="pager" aria-label="Pages of examples">
        <button type="button" disabled={first === 0} onClick={() => go(first - size)}>
          Previous
        </button>
        <button type="button" disabled={last >= set.examples} onClick={() => go(first + size)}>
          Next
        </button>
        <Jump label="Example" most={set.examples} value={first} onJump={go} />
        {set.groups < set.examples && (
          <Jump label="Group" most={set.groups} value={groups[0]?.group ?? 0} onJump={toGroup} />
        )}
      </nav>
      <p class="hint" role="status">
        {rangeOf(groups)} of {whole(set.examples)}
      </p>
      {answer.state === 'failed' && <p class="trouble">{answer.message}</p>}
      {groups.map((group) => (
        <Group key={group.group} {...{ group, task, onThink }} />
      ))}
    </>
  );
}

/** Which examples are shown, counted from 1. */
function rangeOf(groups: readonly ExampleGroup[]): string {
  const numbers = groups.flatMap(({ shown }) => shown.map(({ number }) => number));
  if (numbers.length === 0) return 'Reading examples';
  return `Examples ${whole(numbers[0] + 1)} to ${whole(numbers[numbers.length - 1] + 1)}`;
}

interface JumpProps {
  label: string;
  /** Numbers from 1 to so many. */
  most: number;
  /** From 0. */
  value: number;
  onJump: (number: number) => void;
}

function Jump({ label, most, value, onJump }: JumpProps) {
  return (
    <label class="jump">
      {label}
      <input
        type="number"
        min="1"
        max={most}
        value={value + 1}
        onChange={({ currentTarget }) => {
          const number = Math.trunc(currentTarget.valueAsNumber);
          if (number >= 1 && number <= most) onJump(number - 1);
          else currentTarget.value = String(value + 1);
        }}
      />
      of {whole(most)}
    </label>
  );
}

interface GroupProps {
  group: ExampleGroup;
  task: Task;
  onThink: OnThink;
}

function Group({ group: { group, examples, shown }, task, onThink }: GroupProps) {
  return (
    <section class="group" aria-label={`Group ${group + 1}`}>
      <h3>
        Group {whole(group + 1)}
        {examples > 1 && <span>: {counted(examples, 'example')} of one puzzle and its augmented copies</span>}
      </h3>
      <ol class="pairs">
        {shown.map((example) => (
          <Pair key={example.number} {...{ example, task, onThink }} />
        ))}
      </ol>
    </section>
  );
}

/** Boards of more columns than this are drawn large. */
const SMALL = 10;

function Pair({ example, task, onThink }: { example: Example; task: Task; onThink: OnThink }) {
  const { number, identifier, input, label } = example;
  const size = Math.max(input[0].length, label[0].length) > SMALL ? 'large' : 'small';
  return (
    <li class={size}>
      <p>
        Example {whole(number + 1)}
        {identifier > 0 && `, puzzle row ${whole(identifier)}`}
      </p>
      <div class="pair">
        <Board {...{ task, size }} grid={input} label={`Example ${number + 1}: input`} />
        <span aria-hidden="true">→</span>
        <Board {...{ task, size }} grid={label} givens={input} label={`Example ${number + 1}: label`} />
      </div>
      <button
        type="button"
        disabled={!onThink}
        title={onThink ? undefined : 'This takes a GPU that the browser lets the page use'}
        aria-label={`Think about it: example ${number + 1}`}
        onClick={() => onThink?.(input)}
      >
        Think about it
      </button>
    </li>
  );
}
