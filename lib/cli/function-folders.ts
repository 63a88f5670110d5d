/**
 * The functions in the folders of `serve --functions`: deployed, and with `--watch` deployed anew when they change. A folder
 * that comes later is a function as soon as it has a manifest.
 */

import { existsSync, type Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { isComponent } from '../../host/component/prepare/binary.ts';
import { messageOf, NebulaError } from '../../host/errors.ts';
import type { Nebula } from '../api/nebula.ts';
import { loadSource, MANIFEST_NAME, type LoadedSource } from '../registry/source.ts';
import { digestOf } from '../registry/digest.ts';
import { watchFiles, watchFolder } from './watch.ts';

/** A folder that is watched. */
interface Watched {
  /** Tells a folder from another one that took its place. */
  readonly inode: number;
  stop: () => void;
}

/** Folders that `serve` deploys from, and deploys again when they change. */
export class FunctionFolders {
  readonly #nebula: Nebula;
  readonly #logger: Logger;
  readonly #watched: Map<string, Watched> = new Map();
  readonly #stops: (() => void)[] = [];

  readonly #moduleBytes: number | undefined;
  #isStopped = false;

  /** @param moduleBytes the largest module to read when the manifest names no limit */
  constructor(nebula: Nebula, logger: Logger, moduleBytes: number | undefined) {
    this.#nebula = nebula;
    this.#logger = logger;
    this.#moduleBytes = moduleBytes;
  }

  /**
   * Deploys every function in the folders; one that is refused does not keep the others out, unless it is all of them.
   * @throws NebulaError FILE_UNREADABLE for a folder; what refused them all, unless they are watched
   */
  async deploy(given: readonly string[], isWatching: boolean): Promise<void> {
    const roots = given.map((folder) => resolve(folder));
    const failures: unknown[] = [];
    const underway: Promise<void>[] = [];
    let count = 0;
    for (const root of roots) {
      const folders = await listFolders(root);
      const functions = folders.filter(isFunction);
      if (functions.length === 0) this.#logger.warn({ folder: root }, describeEmpty(root));
      count += functions.length;
      for (const folder of functions) {
        const deploying = this.#deployFirst(folder, failures);
        // A component is transpiled for seconds in a process of its own: meanwhile the others are deployed.
        if (await this.#holdsComponent(folder)) underway.push(deploying);
        else await deploying;
      }
      if (isWatching) await this.#watchRoot(root, folders);
    }
    await Promise.all(underway);
    if (count > 0 && failures.length === count && !isWatching) throw failures[0];
  }

  /** Watches no more. */
  stop(): void {
    this.#isStopped = true;
    for (const stop of this.#stops.splice(0)) stop();
    for (const { stop } of this.#watched.values()) stop();
    this.#watched.clear();
  }

  async #deployFirst(folder: string, failures: unknown[]): Promise<void> {
    try {
      await this.#deployChanged(folder);
    } catch (error) {
      failures.push(error);
      this.#logger.error({ err: error, folder }, 'Cannot deploy');
    }
  }

  async #watchRoot(root: string, folders: readonly string[]): Promise<void> {
    const onError = (error: Error): void => this.#logger.error({ err: error, folder: root }, 'Cannot watch');
    const look = (): void => {
      this.#lookAgain(root).catch(onError);
    };
    this.#stops.push(watchFolder(root, undefined, look, onError));
    for (const folder of folders) await this.#watch(folder);
  }

  /** Finds folders that came, went, or were replaced. */
  async #lookAgain(root: string): Promise<void> {
    const folders = await listFolders(root);
    for (const [folder, { stop, inode }] of this.#watched) {
      if (join(folder, '..') !== root) continue;
      if (folders.includes(folder) && (await inodeOf(folder)) === inode) continue;
      stop();
      this.#watched.delete(folder);
    }
    for (const folder of folders) {
      if (this.#watched.has(folder)) continue;
      await this.#watch(folder);
      // Watched first: what is written from now on is seen.
      if (isFunction(folder)) this.#redeploy(folder, undefined, 'Cannot deploy');
    }
  }

  async #watch(folder: string): Promise<void> {
    const inode = await inodeOf(folder);
    if (inode === undefined) return;
    const stop = await this.#watchFiles(folder);
    this.#watched.get(folder)?.stop();
    if (this.#isStopped) stop();
    else this.#watched.set(folder, { inode, stop });
  }

  async #watchFiles(folder: string): Promise<() => void> {
    const paths = await this.#pathsOf(folder);
    const onChange = (): void => {
      if (isFunction(folder)) this.#redeploy(folder, paths, 'Cannot deploy; the version before still runs');
    };
    const onError = (error: Error): void => this.#logger.error({ err: error, folder }, 'Cannot watch');
    return watchFiles(paths, onChange, onError);
  }

  #redeploy(folder: string, watchedPaths: readonly string[] | undefined, complaint: string): void {
    this.#deployChanged(folder)
      .then(
        () => this.#logger.info({ folder }, 'Deployed anew'),
        (error: unknown) => this.#logger.error({ err: error, folder }, complaint),
      )
      .then(async () => {
        // A manifest may name another module now.
        const watched = this.#watched.get(folder);
        if (watched === undefined || isDeepStrictEqual(await this.#pathsOf(folder), watchedPaths)) return;
        const stop = await this.#watchFiles(folder);
        watched.stop();
        watched.stop = stop;
        if (this.#isStopped) stop();
      })
      .catch((error: unknown) => this.#logger.error({ err: error, folder }, 'Cannot watch'));
  }

  /** Deploys a folder's function, unless what a store brought back is the same. */
  async #deployChanged(folder: string): Promise<void> {
    const { module, manifest } = await this.#load(folder);
    const current = this.#nebula.list().find(({ name }) => name === manifest.name);
    if (current?.digest === digestOf(module) && isDeepStrictEqual(current.manifest, manifest)) return;
    await this.#nebula.deploy(folder);
  }

  async #holdsComponent(folder: string): Promise<boolean> {
    try {
      return isComponent((await this.#load(folder)).module);
    } catch {
      return false;
    }
  }

  /** The files that a function comes from. One that cannot be read yet has its manifest, and the module its name suggests. */
  async #pathsOf(folder: string): Promise<readonly string[]> {
    try {
      return (await this.#load(folder)).paths;
    } catch {
      return [join(folder, MANIFEST_NAME), join(folder, `${basename(folder)}.wasm`)];
    }
  }

  #load(folder: string): Promise<LoadedSource> {
    return loadSource(folder, {}, this.#moduleBytes);
  }
}

function isFunction(folder: string): boolean {
  return existsSync(join(folder, MANIFEST_NAME));
}

async function listFolders(root: string): Promise<readonly string[]> {
  let entries: Dirent[];
  try {
    entries = await readdir(root, { withFileTypes: true });
  } catch (cause) {
    throw new NebulaError('FILE_UNREADABLE', { path: root, detail: messageOf(cause) }, { cause });
  }
  const paths = entries
    .filter((entry) => entry.isDirectory() || entry.isSymbolicLink())
    .map(({ name }) => join(root, name))
    .sort();
  return paths;
}

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isDirectory() ? found.ino : undefined;
  } catch {
    return undefined;
  }
}

/** What to say of a folder without functions: it may be one itself. */
function describeEmpty(root: string): string {
  return isFunction(root)
    ? `No folder in it has a ${MANIFEST_NAME}: it is a function itself, and --functions takes the folder that holds it`
    : `No folder in it has a ${MANIFEST_NAME}: nothing was deployed of it`;
}
