/** Calls back when the files of a function change, once for a burst of changes. */

import { watch, type FSWatcher } from 'node:fs';
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
  let quiet: NodeJS.Timeout | undefined;
  const watchers: FSWatcher[] = [];
  const stop = (): void => {
    clearTimeout(quiet);
    for (const watcher of watchers) watcher.close();
  };
  for (const [folder, names] of folders) {
    const watcher = watch(folder, (_event, name) => {
      if (name !== null && !names.has(name)) return;
      clearTimeout(quiet);
      quiet = setTimeout(onChange, QUIET_MS);
    });
    watcher.on('error', onError);
    watchers.push(watcher);
  }
  return stop;
}
