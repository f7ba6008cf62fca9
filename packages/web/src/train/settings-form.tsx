/** What a run is made of, to be changed before it starts. */
import { useRef } from 'preact/hooks';
import { checkTyped, FIELDS, type Field, type Settings, type Typed } from '../training/settings.ts';

export interface SettingsFormProps {
  typed: Typed;
  change: (typed: Typed) => void;
  /** While a run is under way its settings are looked at alone. */
  locked: boolean;
  /** Whether a run can begin at all. */
  usable: boolean;
  /** What starts a run says. */
  action: string;
  /** Whether there is something likelier to do. */
  secondary: boolean;
  onStart: (settings: Settings) => void;
}

export function SettingsForm(props: SettingsFormProps) {
  const { typed, change, locked, usable, action, secondary, onStart } = props;
  const form = useRef<HTMLFormElement>(null);
  const { settings, problems = {} } = checkTyped(typed);
  const start = () => {
    if (settings) return onStart(settings);
    const bad = form.current?.querySelector<HTMLElement>('[aria-invalid="true"]');
    const folded = bad?.closest('details');
    if (folded) folded.open = true;
    bad?.focus();
  };
  const field = (one: Field) => (
    <SettingField
      key={one.name}
      field={one}
      text={typed[one.name]}
      problem={problems[one.name]}
      onText={(text) => change({ ...typed, [one.name]: text })}
    />
  );
  return (
    <form
      ref={form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        start();
      }}
    >
      <fieldset disabled={locked}>
        <legend>The run</legend>
        {FIELDS.filter(({ rare }) => !rare).map(field)}
        <details>
          <summary>More</summary>
          {FIELDS.filter(({ rare }) => rare).map(field)}
        </details>
      </fieldset>
      <div class="buttons">
        <button type="submit" class={secondary ? undefined : 'primary'} disabled={locked || !usable}>
          {action}
        </button>
      </div>
    </form>
  );
}

interface SettingFieldProps {
  field: Field;
  text: string;
  problem: string | undefined;
  onText: (text: string) => void;
}

function SettingField({ field, text, problem, onText }: SettingFieldProps) {
  const { name, words, published, fraction } = field;
  const about = `problem-${name}`;
  return (
    <div class="setting">
      <label for={`setting-${name}`}>
        {words} <small>{published}</small>
      </label>
      <input
        id={`setting-${name}`}
        type="text"
        inputMode={fraction ? 'decimal' : 'numeric'}
        autocomplete="off"
        value={text}
        aria-invalid={problem !== undefined}
        aria-describedby={problem && about}
        onInput={({ currentTarget }) => onText(currentTarget.value)}
      />
      {problem && (
        <p class="trouble" id={about}>
          {problem}
        </p>
      )}
    </div>
  );
}
