/** Copies text for the person at the page, and says what came of it. */
import { useState } from 'preact/hooks';

export function useCopy() {
  const [said, setSaid] = useState('');
  const copy = async (text: string, what: string) => {
    try {
      await navigator.clipboard.writeText(text);
      setSaid(`${what} copied`);
    } catch {
      setSaid('the browser does not let this page copy');
    }
  };
  return { said, setSaid, copy };
}
