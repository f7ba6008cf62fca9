/** Keeps what is known of a device in IndexedDB. Browsers do not tell the driver, so their version stands in for it. */
import type { Device } from '@hrm-webgpu/core';
import { applyChoices, parseChoices, parseVerdicts, tuningIdentity } from './tuning.ts';

const DATABASE = 'hrm-webgpu';
const STORES = ['tuning', 'checked'] as const;
type Store = (typeof STORES)[number];

/** Where the record of a device is kept. */
export function tuningPlace(_device: Device): string {
  return `IndexedDB '${DATABASE}'`;
}

/** Makes a device do operations as its record says, if there is one. */
export async function loadTuning(device: Device): Promise<void> {
  const choices = await withStore('tuning', 'readonly', (store) => store.get(identity(device)));
  if (choices !== undefined) applyChoices(device, parseChoices(choices, tuningPlace(device)));
}

/** Keeps the device's record for later visits. */
export async function saveTuning(device: Device): Promise<void> {
  const choices = Object.fromEntries(device.tuning);
  await withStore('tuning', 'readwrite', (store) => store.put(choices, identity(device)));
}

/** A page answers first, and checks its kernels then. */
export const CHECK_FIRST = false;

/** Verdicts on kernels, by kernel and constants; see verify.ts. What cannot be read counts as not there. */
export async function loadVerdicts(device: Device): Promise<Record<string, string>> {
  try {
    return parseVerdicts(await withStore('checked', 'readonly', (store) => store.get(identity(device))));
  } catch {
    return {};
  }
}

/** Keeps verdicts; where that is impossible (private windows), kernels are checked again next time. */
export async function saveVerdicts(device: Device, verdicts: Record<string, string>): Promise<void> {
  await withStore('checked', 'readwrite', (store) => store.put(verdicts, identity(device))).catch(() => {});
}

function identity(device: Device): string {
  return tuningIdentity(device, navigator.userAgent);
}

async function withStore<T>(
  name: Store,
  mode: IDBTransactionMode,
  body: (store: IDBObjectStore) => IDBRequest<T>,
): Promise<T> {
  const opening = indexedDB.open(DATABASE, 2);
  opening.onupgradeneeded = () => {
    const there = opening.result.objectStoreNames;
    for (const store of STORES) if (!there.contains(store)) opening.result.createObjectStore(store);
  };
  const database = await settled(opening);
  try {
    return await settled(body(database.transaction(name, mode).objectStore(name)));
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
