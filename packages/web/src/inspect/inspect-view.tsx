/** Checkpoints and datasets from this computer, and a thought from inside. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { EngineClient } from '../engine/client.ts';
import type { CheckpointShown, SplitShown } from '../reading/api.ts';
import type { Found, FoundCheckpoint } from '../reading/found.ts';
import { ReaderClient } from '../reading/reader-client.ts';
import type { AskedPuzzle } from './asked.ts';
import { CheckpointPanel } from './checkpoint-panel.tsx';
import { DropZone } from './drop-zone.tsx';
import { SplitPanel } from './split-panel.tsx';
import { type DroppedModel, ThoughtSection } from './thought-section.tsx';
import { useAnswer } from './use-answer.ts';

export interface InspectViewProps {
  engine: EngineClient;
  /** Whether there is a GPU. */
  usable: boolean;
}

/** One of what was found, open. */
type Open =
  | { found: undefined }
  | { found: FoundCheckpoint; checkpoint: CheckpointShown }
  | { found: Found; split: SplitShown };

/** What is open stays so while other views are looked at. */
const reader = new ReaderClient();
let kept: Found[] = [];

export function InspectView({ engine, usable }: InspectViewProps) {
  const [found, setFound] = useState(kept);
  const [chosen, setChosen] = useState(0);
  const [puzzle, setPuzzle] = useState<AskedPuzzle>();
  const take = (taken: Found[]) => {
    kept = taken;
    setFound(taken);
    setChosen(0);
  };
  const at = found[chosen];
  const open = useCallback(() => openOne(at), [at]);
  const answer = useAnswer<Open>(open);
  const opened = answer.state === 'there' ? answer.value : undefined;
  // A model goes on to be there when data are looked at, to think about them.
  const [dropped, setDropped] = useState<DroppedModel>();
  useEffect(() => setDropped((before) => modelOf(opened) ?? before), [opened]);
  return (
    <>
      <h1>Look inside</h1>
      <p class="lead">
        See what a checkpoint or a dataset holds, and what goes on in a model while it thinks.
      </p>
      <DropZone onFound={take} trouble={answer.state === 'failed' ? answer.message : undefined} />
      {found.length > 1 && (
        <div class="choices" role="radiogroup" aria-label="What to look at">
          {found.map(({ id, kind }, i) => (
            <label key={id} class="choice">
              <input type="radio" name="found" checked={i === chosen} onChange={() => setChosen(i)} />
              <span>
                {id} {kind === 'split' ? '(data)' : ''}
              </span>
            </label>
          ))}
        </div>
      )}
      <p class="hint" role="status">
        {at && answer.state === 'waiting' && `Reading ${at.id}…`}
      </p>
      {opened?.found && 'checkpoint' in opened && (
        <CheckpointPanel name={opened.found.id} shown={opened.checkpoint} reader={reader} />
      )}
      {opened?.found && 'split' in opened && (
        <SplitPanel
          key={opened.found.id}
          name={opened.found.id}
          shown={opened.split}
          reader={reader}
          onThink={usable ? (grid) => setPuzzle({ grid, task: opened.split.task }) : undefined}
        />
      )}
      <ThoughtSection {...{ engine, usable, dropped, puzzle }} />
    </>
  );
}

async function openOne(found: Found | undefined): Promise<Open> {
  if (!found) return { found };
  if (found.kind === 'checkpoint') return { found, checkpoint: await reader.openCheckpoint(found) };
  return { found, split: await reader.openSplit(found) };
}

/** The checkpoint that is open, where it is a model that can think. */
function modelOf(opened: Open | undefined): DroppedModel | undefined {
  if (!opened?.found || !('checkpoint' in opened)) return undefined;
  const { found, checkpoint } = opened;
  if (!checkpoint.model || !checkpoint.config || checkpoint.problems.length > 0) return undefined;
  return { file: found.file, name: found.file.name, config: found.config, seqLen: checkpoint.config.seq_len };
}
