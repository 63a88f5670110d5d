/** Transpiled components by digest, so that each is transpiled once: in a folder of the store, or as long as it is under way. */

import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { TranspiledComponent } from '../../host/definition/prepared-component.ts';
import { transpileComponent } from '../../host/preparation/component.ts';
import { isNebulaError, messageOf, NebulaError } from '../../host/errors.ts';
import { DEFAULT_LIMITS } from '../../host/limits.ts';
import type { PreparationBounds } from '../../host/preparation/task.ts';
import { readPrepared, writePrepared } from './prepared-folder.ts';
import { digestInTurns } from './digest.ts';

/** Transpiled components by the digest of their binaries, in a directory or in memory. */
export class ComponentCache {
  readonly #folder: string | undefined;
  readonly #pending: Map<string, Promise<TranspiledComponent>> = new Map();

  /** Keeps what it transpiles below `folder`, one folder per digest; without it, nothing. */
  constructor(folder?: string) {
    this.#folder = folder;
  }

  /**
   * The transpiled form of a component: the one given if it is of these bytes, the one kept, or one made now.
   * @throws NebulaError TRANSPILER_MISSING, MODULE_INVALID, PREPARED_INVALID, STORE_FAILED, DEPLOY_TIMEOUT, DEPLOY_MEMORY
   */
  async get(
    bytes: Uint8Array,
    given?: TranspiledComponent,
    bounds: PreparationBounds = DEFAULT_LIMITS,
  ): Promise<TranspiledComponent> {
    const digest = await digestInTurns(bytes);
    // Another deploy's bounds are not this one's.
    const key = `${digest} ${bounds.deployMs} ${bounds.deployMemoryBytes}`;
    let pending = this.#pending.get(key);
    if (pending === undefined) {
      pending = this.#make(bytes, digest, given, bounds).finally(() => this.#pending.delete(key));
      this.#pending.set(key, pending);
    }
    return pending;
  }

  /** Deletes what is kept of components that none of the digests names. */
  async sweep(digests: ReadonlySet<string>): Promise<void> {
    const folder = this.#folder;
    if (folder === undefined) return;
    const names = await readdir(folder).catch(() => []);
    for (const name of names) if (!digests.has(name)) await rm(join(folder, name), { recursive: true, force: true });
  }

  async #make(
    bytes: Uint8Array,
    digest: string,
    given: TranspiledComponent | undefined,
    bounds: PreparationBounds,
  ): Promise<TranspiledComponent> {
    if (given !== undefined && given.digest !== digest) {
      const detail = `it was made of component ${given.digest}, this one is ${digest}`;
      throw new NebulaError('PREPARED_INVALID', { path: 'prepared.json', detail });
    }
    const folder = this.#folder === undefined ? undefined : join(this.#folder, digest);
    const kept = folder === undefined ? undefined : await readKept(folder);
    if (kept?.digest === digest) return kept;
    const made = given ?? (await transpileComponent(bytes, bounds));
    if (folder !== undefined) await keep(folder, made);
    return made;
  }
}

/** What is damaged is made anew. */
async function readKept(folder: string): Promise<TranspiledComponent | undefined> {
  try {
    return await readPrepared(folder);
  } catch (error) {
    if (isNebulaError(error) && error.key === 'PREPARED_INVALID') return undefined;
    throw error;
  }
}

async function keep(folder: string, component: TranspiledComponent): Promise<void> {
  try {
    await writePrepared(folder, component);
  } catch (cause) {
    const fields = { action: 'keep the transpiled component', path: folder, detail: messageOf(cause) };
    throw new NebulaError('STORE_FAILED', fields, { cause });
  }
}
