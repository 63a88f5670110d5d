/** The functions that `nebula dev` works on: built and deployed, and again when their sources change. */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { messageOf } from '../../host/errors.ts';
import type { Nebula } from '../api/nebula.ts';
import { buildFunction, findBuilder } from '../build/build.ts';
import type { FunctionRecord } from '../schema/function-record.ts';
import { loadSource, MANIFEST_NAME } from '../registry/source.ts';
import { withProgress } from './progress.ts';
import { watchTree } from './watch.ts';

/** Told of what comes of each build. */
export interface DevListener {
  deployed(record: FunctionRecord, tookMs: number): void;
  /** The version before, if there is one, still serves. */
  failed(name: string, message: string): void;
}

/** One folder of sources. */
interface Work {
  stop: () => void;
  /** Folders in it that its tools write to. */
  written: ReadonlySet<string>;
  /** Of the function, as it was deployed last. */
  name: string | undefined;
  /** Where the last build put the module; undefined where there was none. */
  modulePath: string | undefined;
  isDirty: boolean;
  running: Promise<void> | undefined;
}

/** Folders that tools and people keep beside sources, and what they write while they save. */
const LEFT_OUT = /^(?:\.|node_modules$|target$)|~$/;

export class DevFunctions {
  readonly #nebula: Nebula;
  readonly #listener: DevListener;
  readonly #signal: AbortSignal;
  readonly #works: Map<string, Work> = new Map();
  readonly #stops: (() => void)[] = [];

  /** @param signal ends the tools that run, and the watching */
  constructor(nebula: Nebula, listener: DevListener, signal: AbortSignal) {
    this.#nebula = nebula;
    this.#listener = listener;
    this.#signal = signal;
    signal.addEventListener('abort', () => {
      for (const stop of this.#stops.splice(0)) stop();
      for (const { stop } of this.#works.values()) stop();
    });
  }

  /**
   * Takes a folder that is a function, or one that holds some, those included that come later; resolves once all of them have
   * been built, or have failed to be.
   * @throws NebulaError FILE_UNREADABLE
   */
  async add(given: string): Promise<void> {
    const folder = resolve(given);
    if (await isFunction(folder)) {
      await this.#take(folder);
      return;
    }
    const look = async (): Promise<void> => {
      for (const each of await foldersOf(folder)) await this.#take(each);
    };
    const tell = (error: unknown): void => this.#listener.failed(basename(folder), messageOf(error));
    this.#stops.push(
      watchTree(
        folder,
        // A folder is a function as soon as it has sources: what is directly in each is looked at.
        (path) => isLeftOut(path) || (dirname(path) !== folder && dirname(dirname(path)) !== folder),
        () => void look().catch(tell),
        tell,
      ),
    );
    await look();
  }

  async #take(folder: string): Promise<void> {
    if (this.#works.has(folder) || this.#signal.aborted || !(await isFunction(folder))) return;
    const written = await writtenIn(folder);
    // Another look may have taken it meanwhile.
    if (this.#works.has(folder)) return;
    const work: Work = {
      isDirty: false,
      running: undefined,
      written,
      name: undefined,
      modulePath: undefined,
      stop: () => undefined,
    };
    // What a build writes is no change: there would be no end of builds.
    const isWritten = (path: string): boolean => {
      const [first = ''] = path.slice(folder.length + 1).split(sep);
      return isLeftOut(path) || work.written.has(first) || path === work.modulePath;
    };
    const onError = (error: Error): void => this.#listener.failed(basename(folder), `Cannot watch: ${error.message}`);
    work.stop = watchTree(folder, isWritten, () => void this.#run(folder, work), onError);
    this.#works.set(folder, work);
    await this.#run(folder, work);
  }

  /** Builds and deploys; what changes meanwhile has it done once more. */
  #run(folder: string, work: Work): Promise<void> {
    work.isDirty = true;
    work.running ??= this.#runUntilClean(folder, work).finally(() => {
      work.running = undefined;
    });
    return work.running;
  }

  async #runUntilClean(folder: string, work: Work): Promise<void> {
    while (work.isDirty && !this.#signal.aborted) {
      work.isDirty = false;
      const startedMs = performance.now();
      const name = basename(folder);
      try {
        const record = await withProgress(`${name}: building`, (say) =>
          this.#make(folder, work, (step) => say(`${name}: ${step}`)),
        );
        if (record !== undefined) this.#listener.deployed(record, performance.now() - startedMs);
      } catch (error) {
        if (!this.#signal.aborted && existsSync(folder)) this.#listener.failed(name, messageOf(error));
      }
    }
    if (existsSync(folder)) return;
    // One that comes back under the same path is another.
    work.stop();
    this.#works.delete(folder);
  }

  /** The version that is in force now; undefined where it is the one before, since nothing in it changed. */
  async #make(folder: string, work: Work, say: (step: string) => void): Promise<FunctionRecord | undefined> {
    let source = folder;
    const builder = await findBuilder(folder);
    work.written = new Set(builder?.written);
    if (builder === undefined) {
      work.modulePath = undefined;
    } else {
      const onPlace = (path: string): void => void (work.modulePath = path);
      source = (await buildFunction(folder, { say, onPlace, signal: this.#signal })).deployable;
    }
    this.#signal.throwIfAborted();
    say('deploying');
    // A name that is another function's already would take its place.
    const { manifest } = await loadSource(source);
    for (const [other, { name }] of this.#works) {
      if (other === folder || name !== manifest.name || !existsSync(other)) continue;
      throw new Error(`"${name}" is the function in ${other} already`);
    }
    work.name = manifest.name;
    return this.#nebula.deploy(source);
  }
}

function isLeftOut(path: string): boolean {
  return LEFT_OUT.test(basename(path));
}

async function isFunction(folder: string): Promise<boolean> {
  return existsSync(join(folder, MANIFEST_NAME)) || (await findBuilder(folder)) !== undefined;
}

async function writtenIn(folder: string): Promise<ReadonlySet<string>> {
  return new Set((await findBuilder(folder))?.written);
}

async function foldersOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !isLeftOut(entry.name))
    .map(({ name }) => join(folder, name))
    .sort();
}
