/** What the trainer says, as it says it. */
import { useEffect, useState } from 'preact/hooks';
import type { Snapshot } from '../training/api.ts';
import type { TrainerClient } from '../training/client.ts';

export interface TrainingShown {
  snapshot: Snapshot;
  share: number;
  goesOnHidden: boolean;
}

const shownOf = ({ snapshot, share, goesOnHidden }: TrainerClient): TrainingShown => ({
  ...{ snapshot, share, goesOnHidden },
});

/** @param usable whether there is a GPU: a saved run is looked for only then */
export function useTraining(trainer: TrainerClient, usable: boolean): TrainingShown {
  const [shown, setShown] = useState(() => shownOf(trainer));
  useEffect(() => {
    const follow = () => setShown(shownOf(trainer));
    follow();
    return trainer.subscribe(follow);
  }, [trainer]);
  useEffect(() => {
    if (usable) trainer.look();
  }, [trainer, usable]);
  return shown;
}
