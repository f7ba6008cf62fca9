import { useEffect, useState } from 'preact/hooks';
import { loadRecording, type Recording } from './recording.ts';

/** The recording, once it is here. */
export function useRecording(): { recording?: Recording; trouble?: string } {
  const [found, setFound] = useState<{ recording?: Recording; trouble?: string }>({});
  useEffect(() => {
    loadRecording().then(
      (recording) => setFound({ recording }),
      (error) => setFound({ trouble: error.message }),
    );
  }, []);
  return found;
}
