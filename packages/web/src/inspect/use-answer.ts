/** What a question to a worker is answered with; an answer to an earlier question does not count. */
import { useEffect, useState } from 'preact/hooks';

export type Answer<T> =
  | { state: 'waiting' }
  | { state: 'there'; value: T }
  | { state: 'failed'; message: string };

/** @param ask made anew when the question is another */
export function useAnswer<T>(ask: () => Promise<T>): Answer<T> {
  const [known, setKnown] = useState<{ of?: () => Promise<T>; answer: Answer<T> }>({
    answer: { state: 'waiting' },
  });
  useEffect(() => {
    let current = true;
    const set = (answer: Answer<T>) => current && setKnown({ of: ask, answer });
    ask().then(
      (value) => set({ state: 'there', value }),
      (error) => set({ state: 'failed', message: error.message }),
    );
    return () => {
      current = false;
    };
  }, [ask]);
  return known.of === ask ? known.answer : { state: 'waiting' };
}
