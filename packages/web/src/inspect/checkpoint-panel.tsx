/** What a checkpoint is: its form, its model, its configuration, its tensors. */
import type { FilePart } from 'hrm-webgpu';
import type { CheckpointShown } from '../reading/api.ts';
import type { ReaderClient } from '../reading/reader-client.ts';
import { byteSize, counted, whole } from '../wording/sizes.ts';
import { TensorTable } from './tensor-table.tsx';

export interface CheckpointPanelProps {
  name: string;
  shown: CheckpointShown;
  reader: ReaderClient;
}

export function CheckpointPanel({ name, shown, reader }: CheckpointPanelProps) {
  const { problems, config } = shown;
  return (
    <section aria-labelledby="checkpoint">
      <h2 id="checkpoint">{name}</h2>
      <dl class="facts">
        {factsOf(shown).map(([label, text]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{text}</dd>
          </div>
        ))}
      </dl>
      {problems.length > 0 ? (
        <ul class="trouble">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      ) : (
        <p>
          {config
            ? 'Tensors and configuration fit.'
            : 'There is no configuration to compare the tensors with.'}
        </p>
      )}
      <Texts title="Configuration" texts={config ?? {}} />
      <Texts title="Metadata" texts={shown.metadata} />
      <TensorTable key={name} tensors={shown.tensors} reader={reader} />
    </section>
  );
}

function factsOf(shown: CheckpointShown): [label: string, text: string][] {
  const { format, bytes, tensors, part, model, task, training, config, config_from } = shown;
  const form = format === 'PyTorch' ? 'PyTorch (torch.save)' : format;
  return [
    ['Form', `${form}, ${byteSize(bytes)}, ${counted(tensors.length, 'tensor')}`],
    ...(part ? [['Weights', partWords(part)] as [string, string]] : []),
    ...(model ? modelFacts(model) : [['Model', 'none of its tensors is one of HRM'] as [string, string]]),
    ['Task', task ?? 'it does not say'],
    ['Configuration', config ? `from ${config_from}` : 'none that belongs to it'],
    [
      'Training',
      training
        ? `step ${whole(training.step)} of ${whole(training.total_steps)}; can be resumed`
        : 'weights only',
    ],
    ['Bytes', rolesOf(shown)],
  ];
}

function modelFacts(model: NonNullable<CheckpointShown['model']>): [string, string][] {
  const { hidden_size, swiglu_width, H_layers, L_layers, positions } = model;
  const rows = model.num_puzzle_identifiers
    ? `${whole(model.num_puzzle_identifiers)} × ${model.puzzle_emb_ndim}`
    : 'none';
  return [
    [
      'Parameters',
      `${whole(model.trunk_parameters)}, and ${whole(model.puzzle_parameters)} in puzzle rows (${rows})`,
    ],
    ['Size', `D ${hidden_size ?? '?'}, SwiGLU ${swiglu_width ?? '?'}, layers H ${H_layers}, L ${L_layers}`],
    ['Vocabulary', String(model.vocab_size ?? '?')],
    ['Positions', positions === undefined ? 'rotary: any length' : `learned, ${positions}`],
  ];
}

function partWords({ taken, others }: FilePart): string {
  const rest = others.length > 0 ? `; the file also holds ${others.slice(0, 5).join(', ')}` : '';
  return `those of “${taken}”${rest}${others.length > 5 ? ` and ${others.length - 5} more` : ''}`;
}

function rolesOf({ tensors }: CheckpointShown): string {
  const sizes = new Map<string, number>();
  for (const { role, bytes } of tensors) sizes.set(role, (sizes.get(role) ?? 0) + bytes);
  return [...sizes].map(([role, bytes]) => `${role} ${byteSize(bytes)}`).join(', ') || 'none';
}

/** Of what files say, so much is shown. */
const MOST_LETTERS = 2000;

function Texts({ title, texts }: { title: string; texts: Readonly<Record<string, unknown>> }) {
  const entries = Object.entries(texts).filter(([, value]) => value !== undefined);
  if (entries.length === 0) return null;
  return (
    <details>
      <summary>
        {title} ({entries.length})
      </summary>
      <dl class="facts plain">
        {entries.map(([key, value]) => (
          <div key={key}>
            <dt>{key}</dt>
            <dd>{shortened(String(value))}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

const shortened = (text: string) =>
  text.length > MOST_LETTERS ? `${text.slice(0, MOST_LETTERS)}… (${whole(text.length)} characters)` : text;
