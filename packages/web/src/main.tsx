import { render } from 'preact';
import { App } from './app/app.tsx';

render(<App />, document.getElementById('page') as HTMLElement);

// In its absence the page needs the network each time, and nothing else is different.
if (import.meta.env.PROD) navigator.serviceWorker?.register('./service-worker.js').catch(() => {});
