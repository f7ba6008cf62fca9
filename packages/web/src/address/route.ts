/** What the page shows stands in its address, after the #: a link is all that is needed to show it to somebody else. */
import { useEffect, useState } from 'preact/hooks';

export const VIEWS = ['solve', 'train', 'inspect', 'bench'] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  view: View;
  params: URLSearchParams;
}

/** `#/solve?model=…`: a view, and its state. */
export function parseRoute(hash: string): Route {
  const [, path = '', query = ''] = hash.match(/^#\/?([^?]*)\??(.*)$/) ?? [];
  const view = VIEWS.find((name) => name === path) ?? 'solve';
  return { view, params: new URLSearchParams(query) };
}

export function formatRoute(
  view: View,
  params: Readonly<Record<string, string | number | undefined>>,
): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params))
    if (value !== undefined && value !== '') query.set(name, String(value));
  const text = query.toString();
  return `#/${view}${text ? `?${text}` : ''}`;
}

/** The view that the address names; changes when somebody follows a link or goes back. */
export function useRoute(): Route {
  const [route, setRoute] = useState(() => parseRoute(location.hash));
  useEffect(() => {
    const follow = () => setRoute(parseRoute(location.hash));
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return route;
}

/** Puts the state of a view into the address, without a step in the history: that is what links and `back` are for. */
export function remember(view: View, params: Readonly<Record<string, string | number | undefined>>): void {
  const hash = formatRoute(view, params);
  if (hash !== location.hash) history.replaceState(null, '', hash);
}
