/** Calls back when files change, once for a burst of changes. */

import { readdirSync, statSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname, join } from 'node:path';

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

/**
 * Watches a folder and all below it; folders that come later, too.
 * @param isLeftOut folders and files that are not looked at, by their absolute paths
 * @returns what stops it
 */
export function watchTree(
  root: string,
  isLeftOut: (path: string) => boolean,
  onChange: () => void,
  onError: (error: Error) => void,
): () => void {
  const watched = new Map<string, { readonly watcher: FSWatcher; readonly inode: number }>();
  let quiet: NodeJS.Timeout | undefined;
  const forget = (folder: string): void => {
    watched.get(folder)?.watcher.close();
    watched.delete(folder);
  };
  const look = (folder: string): void => {
    const inode = inodeOf(folder);
    if (watched.get(folder)?.inode !== inode) forget(folder);
    if (inode === undefined) return;
    if (!watched.has(folder)) {
      // Watched first, listed then: nothing that is made in between is missed.
      const watcher = watch(folder, (_event, name) => {
        if (name !== null && isLeftOut(join(folder, name))) return;
        clearTimeout(quiet);
        quiet = setTimeout(changed, QUIET_MS);
      });
      watcher.on('error', onError);
      watched.set(folder, { watcher, inode });
    }
    for (const path of foldersIn(folder)) if (!isLeftOut(path)) look(path);
  };
  const changed = (): void => {
    for (const folder of watched.keys()) if (inodeOf(folder) === undefined) forget(folder);
    try {
      look(root);
    } catch (error) {
      onError(error as Error);
    }
    onChange();
  };
  look(root);
  return () => {
    clearTimeout(quiet);
    for (const folder of watched.keys()) forget(folder);
  };
}

function inodeOf(folder: string): number | undefined {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found?.isDirectory() === true ? found.ino : undefined;
}

function foldersIn(folder: string): readonly string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(folder, name));
  } catch {
    // It went away since.
    return [];
  }
}
