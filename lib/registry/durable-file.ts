/**
 * Files that are either there in full or not at all, whenever the process or the machine stops: written under a
 * temporary name, synced, renamed, and the directory synced so that the new name lasts.
 */

import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Start of every name that `removeTemporaries` may delete. */
const TEMPORARY_PREFIX = '.tmp-';

let sequence = 0;

/** A name in `directory` that no other call, process or thread uses. */
export function temporaryPath(directory: string): string {
  sequence += 1;
  return join(directory, `${TEMPORARY_PREFIX}${process.pid}-${Date.now().toString(36)}-${sequence}`);
}

/** Replaces or creates the file at `path`. */
export async function writeDurably(path: string, content: Uint8Array | string): Promise<void> {
  const directory = dirname(path);
  const temporary = temporaryPath(directory);
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(directory);
}

/** Makes the names in a directory last. */
export async function syncDirectory(directory: string): Promise<void> {
  // Windows cannot open a directory, and keeps names without being asked.
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Creates a directory, its parents included, and makes its name last. */
export async function createDirectory(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first !== undefined) await syncDirectory(dirname(path));
}

/** Deletes a directory so that a stop in between leaves either all of it or only a temporary. */
export async function removeDirectory(path: string): Promise<void> {
  const parent = dirname(path);
  const doomed = temporaryPath(parent);
  await rename(path, doomed);
  await syncDirectory(parent);
  await rm(doomed, { recursive: true, force: true });
}

/** Deletes what interrupted calls left in a directory. Only for its one owner. */
export async function removeTemporaries(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.startsWith(TEMPORARY_PREFIX)) await rm(join(directory, name), { recursive: true, force: true });
  }
}
