/** Calls back when files change, once for a burst of changes. */

import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** A compiler writes a file in several steps; it is read when none came for this long. */
const QUIET_MS = 100;

/**
 * Watches the folders of `paths`, because compilers replace files rather than write to them.
 * @returns what stops it
 */
export function watchFiles(
  paths: readonly string[],
  onChange: () => void,
  onError: (error: Error) => void,
): () => void {
  const folders = new Map<string, Set<string>>();
  for (const path of paths) {
    const folder = dirname(path);
    folders.set(folder, (folders.get(folder) ?? new Set()).add(basename(path)));
  }
  const stops = Array.from(folders, ([folder, names]) => watchFolder(folder, names, onChange, onError));
  return () => {
    for (const stop of stops) stop();
  };
}

/**
 * Watches what is directly in a folder: the given names, or all.
 * @returns what stops it
 */
export function watchFolder(
  folder: string,
  names: ReadonlySet<string> | undefined,
  onChange: () => void,
  onError: (error: Error) => void,
): () => void {
  let quiet: NodeJS.Timeout | undefined;
  const watcher = watch(folder, (_event, name) => {
    if (name !== null && names?.has(name) === false) return;
    clearTimeout(quiet);
    quiet = setTimeout(onChange, QUIET_MS);
  });
  watcher.on('error', onError);
  return () => {
    clearTimeout(quiet);
    watcher.close();
  };
}
