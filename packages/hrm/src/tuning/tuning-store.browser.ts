/** Keeps tuning records in IndexedDB. Browsers do not tell the driver, so their version stands in for it. */
import type { Device } from '@hrm-webgpu/core';
import { applyChoices, parseChoices, tuningIdentity } from './tuning.ts';

const DATABASE = 'hrm-webgpu';
const STORE = 'tuning';

/** Where the record of a device is kept. */
export function tuningPlace(_device: Device): string {
  return `IndexedDB '${DATABASE}'`;
}

/** Makes a device do operations as its record says, if there is one. */
export async function loadTuning(device: Device): Promise<void> {
  const choices = await withStore('readonly', (store) => store.get(identity(device)));
  if (choices !== undefined) applyChoices(device, parseChoices(choices, tuningPlace(device)));
}

/** Keeps the device's record for later visits. */
export async function saveTuning(device: Device): Promise<void> {
  const choices = Object.fromEntries(device.tuning);
  await withStore('readwrite', (store) => store.put(choices, identity(device)));
}

function identity(device: Device): string {
  return tuningIdentity(device, navigator.userAgent);
}

async function withStore<T>(
  mode: IDBTransactionMode,
  body: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  const database = await settled(opening);
  try {
    return await settled(body(database.transaction(STORE, mode).objectStore(STORE)));
  } finally {
    database.close();
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
