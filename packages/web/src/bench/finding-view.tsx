/** A result, measured here or brought by a link. */
import { FigureTable } from '../charts/figure-table.tsx';
import type { Finding } from './api.ts';
import { RooflinePlot } from './roofline.tsx';

const three = (value: number) => value.toFixed(3);

export function FindingView({ finding, fromLink }: { finding: Finding; fromLink?: boolean }) {
  const { limits, title, form, adapter, software, browser, date, table, controls, bars, shown, skipped } =
    finding;
  const [head = [], ...rows] = table;
  return (
    <article class="finding">
      <h2>{title}</h2>
      <p class="hint">
        {fromLink && 'From a link, measured elsewhere: '}
        {adapter}
        {software && ' (a software adapter)'}, in a browser ({browser}), {form} form,{' '}
        {date.slice(0, 16).replace('T', ' ')} UTC. Browsers check every access, which costs up to a third: not
        to be held against figures from Node.
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls sideways on narrow screens, also by keys */}
      <div class="scroll" tabIndex={0}>
        <FigureTable caption={title} {...{ head, rows }} />
      </div>
      <ul>
        {controls.map(({ name, ok, ratio, low, high }) => (
          <li key={name} class={ok ? undefined : 'trouble'}>
            {ok ? 'Control holds' : 'Control fails: too noisy to trust'}: {name}, {three(ratio)} [{three(low)}
            , {three(high)}]
          </li>
        ))}
        {bars.map(({ name, ok, ratio, goal }) => (
          <li key={name}>
            {name}: {ratio.toPrecision(3)}, aimed at {goal}
            {ok ? '' : ', not reached here'}
          </li>
        ))}
        {shown.map((text) => (
          <li key={text}>{text}</li>
        ))}
        {skipped.map((text) => (
          <li key={text}>Not measured: {text}</li>
        ))}
      </ul>
      <details>
        <summary>Limits of the device</summary>
        <ul>
          {Object.entries(limits).map(([name, value]) => (
            <li key={name}>
              {name}: {value.toLocaleString('en')}
            </li>
          ))}
        </ul>
      </details>
      {finding.roofline && finding.points.length > 0 && (
        <RooflinePlot roofline={finding.roofline} points={finding.points} />
      )}
    </article>
  );
}
