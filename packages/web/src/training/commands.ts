/** The worker that trains: it goes on whatever view the page shows. */
import { Training } from './training.ts';

export const commands = new Training((snapshot) => self.postMessage({ snapshot }));
