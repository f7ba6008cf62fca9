/** A view that is loaded when it is shown for the first time: the page begins with little. */
import type { ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';

export interface LaterProps<P> {
  /** Must be the same function each time. */
  load: () => Promise<ComponentType<P>>;
  props: P;
}

export function Later<P extends object>({ load, props }: LaterProps<P>) {
  const [view, setView] = useState<{ View: ComponentType<P> }>();
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    load().then(
      (View) => setView({ View }),
      (error) => setProblem(error.message),
    );
  }, [load]);
  if (problem)
    return (
      <p class="trouble" role="alert">
        This view could not be loaded ({problem}): reload the page.
      </p>
    );
  return view ? <view.View {...props} /> : <p role="status">Loading…</p>;
}
