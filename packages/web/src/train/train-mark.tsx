/** How far a run is, for who looks at another view meanwhile. */
import { useEffect, useState } from 'preact/hooks';
import type { TrainerClient } from '../training/client.ts';

export function TrainMark({ trainer }: { trainer: TrainerClient }) {
  const [text, setText] = useState('');
  useEffect(() => {
    const follow = () => {
      const { phase, run } = trainer.snapshot;
      const share = run ? Math.floor((100 * run.step) / run.settings.steps) : 0;
      setText(run && phase === 'running' ? ` · ${share} %` : '');
    };
    follow();
    return trainer.subscribe(follow);
  }, [trainer]);
  return <>{text}</>;
}
