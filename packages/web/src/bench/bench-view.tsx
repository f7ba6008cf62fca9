/** Measures this GPU: every kernel is checked before it is timed, beside a control. */
import { proxy } from 'comlink';
import type { Form } from 'hrm-webgpu-bench/page';
import { useEffect, useRef, useState } from 'preact/hooks';
import { formatRoute } from '../address/route.ts';
import { saveBlob } from '../files/save.ts';
import { useCopy } from '../files/use-copy.ts';
import { type Started, startWorker } from '../workers/start.ts';
import type { BenchOutcome, Finding, Listed } from './api.ts';
import type { BenchCommands } from './commands.ts';
import { FindingView } from './finding-view.tsx';
import { packFinding, unpackFinding } from './link.ts';

export interface BenchViewProps {
  params: URLSearchParams;
  /** Whether there is a GPU. */
  usable: boolean;
}

type Linked = { finding: Finding } | { problem: string } | undefined;

export function BenchView({ params, usable }: BenchViewProps) {
  const [linked, setLinked] = useState<Linked>();
  const packed = params.get('result');
  useEffect(() => {
    setLinked(undefined);
    if (packed === null) return;
    unpackFinding(packed).then(
      (finding) => setLinked({ finding }),
      (error) => setLinked({ problem: error.message }),
    );
  }, [packed]);
  return (
    <>
      <h1>How fast is this GPU?</h1>
      <p class="lead">
        Each kernel is compared with float64 first and timed after that, by turns with the others and with
        itself under another name: the control. Nothing is sent anywhere.
      </p>
      {linked && 'finding' in linked && <FindingView finding={linked.finding} fromLink />}
      {linked && 'problem' in linked && <p class="trouble">{linked.problem}</p>}
      <Runs usable={usable} />
    </>
  );
}

/** A worker that runs benchmarks, made anew after one was stopped. */
function useBenchWorker() {
  const current = useRef<Started<BenchCommands> | undefined>(undefined);
  const get = () => {
    current.current ??= startWorker<BenchCommands>('bench');
    return current.current.remote;
  };
  const end = () => {
    current.current?.worker.terminate();
    current.current = undefined;
  };
  return { get, end };
}

function Runs({ usable }: { usable: boolean }) {
  const worker = useRef(useBenchWorker()).current;
  const [list, setList] = useState<readonly Listed[]>([]);
  const [form, setForm] = useState<Form>('quick');
  const [running, setRunning] = useState<string>();
  const [said, setSaid] = useState('');
  const [outcomes, setOutcomes] = useState<readonly BenchOutcome[]>([]);
  useEffect(() => {
    worker.get().list().then(setList);
    return worker.end;
  }, [worker]);
  const run = async (name: string) => {
    setRunning(name);
    setSaid('opening the GPU…');
    try {
      const outcome = await worker.get().run({ name, form }, proxy(setSaid));
      setOutcomes((before) => [outcome, ...before]);
      setSaid(`${name} is done`);
    } catch (error) {
      setSaid(`${name} came to no end: ${(error as Error).message}`);
    }
    setRunning(undefined);
  };
  const stop = () => {
    worker.end();
    setRunning(undefined);
    setSaid('stopped');
  };
  const durationOf = ({ duration }: Listed) => (form === 'quick' && duration.quick) || duration.full;
  return (
    <section aria-label="Benchmarks">
      <label class="field">
        <span>Thoroughness</span>
        <select value={form} onChange={({ currentTarget }) => setForm(currentTarget.value as Form)}>
          <option value="quick">quick: a first look</option>
          <option value="full">full: tells changes of a few per cent</option>
        </select>
      </label>
      <ul class="benchmarks">
        {list.map((one) => (
          <li key={one.name}>
            <button type="button" disabled={!usable || running !== undefined} onClick={() => run(one.name)}>
              {one.name}
            </button>{' '}
            {one.summary}{' '}
            <span class="hint">(about {durationOf(one)} s on a software adapter, less on a GPU)</span>
          </li>
        ))}
      </ul>
      <p role="status">{said}</p>
      {running && (
        <button type="button" onClick={stop}>
          Stop
        </button>
      )}
      {outcomes.map((outcome) => (
        <Outcome key={outcome.finding.date} {...outcome} />
      ))}
    </section>
  );
}

function Outcome({ finding, document: text }: BenchOutcome) {
  const { said, copy } = useCopy();
  const link = async () => {
    const hash = formatRoute('bench', { result: await packFinding(finding) });
    await copy(new URL(hash, location.href).href, 'link');
  };
  const file = `bench-${finding.benchmark}.json`;
  return (
    <>
      <FindingView finding={finding} />
      <div class="buttons">
        <button type="button" onClick={() => copy(text, 'JSON')}>
          Copy JSON
        </button>
        <button type="button" onClick={() => saveBlob(new Blob([text], { type: 'application/json' }), file)}>
          Save JSON
        </button>
        <button type="button" onClick={link}>
          Copy link to this result
        </button>
        <span role="status">{said}</span>
      </div>
    </>
  );
}
