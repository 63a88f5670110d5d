/**
 * Deployed functions on disk. One folder per function holds its modules and snapshots by digest and `record.json`, which
 * names the versions; replacing that one file is what commits a change, so that a stop at any moment leaves the state
 * before or after it. One process has a store open at a time.
 *
 *     STORE/lock
 *     STORE/functions/NAME/record.json
 *     STORE/functions/NAME/<sha256>.wasm
 *     STORE/functions/NAME/<sha256>.snapshot
 *     STORE/components/<sha256>/    transpiled components (component-cache.ts)
 */

import { mkdir, readdir, readFile, realpath, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isNebulaError, messageOf, NebulaError } from '../../host/errors.ts';
import type { Manifest } from '../schema/manifest.ts';
import { parseManifest } from '../manifest/manifest.ts';
import { toManifestJson } from '../wire/manifest-json.ts';
import {
  createDirectory,
  removeDirectory,
  removeTemporaries,
  syncDirectory,
  temporaryPath,
  writeDurably,
} from './durable-file.ts';
import { readShared } from './shared-file.ts';
import { digestInTurns, digestOf } from './digest.ts';
import { lockStore } from './store-lock.ts';

const FORMAT = 1;
const RECORD_NAME = 'record.json';

/** One version as the store keeps it. */
export interface StoredVersion {
  readonly version: number;
  /** SHA-256 of the module's binary, hex. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** ISO 8601. */
  readonly deployedAt: string;
  readonly manifest: Manifest;
  /** SHA-256 of the snapshot it starts from, hex. */
  readonly snapshotDigest?: string;
  /** Whether a call of it had to be stopped together with its thread. */
  readonly wasStopped?: boolean;
}

/** A function's versions, the current one first, and the number the next one gets. */
export interface StoredFunction {
  readonly name: string;
  readonly nextVersion: number;
  readonly versions: readonly [StoredVersion, ...StoredVersion[]];
}

/** What one version runs from. */
export interface StoredFiles {
  readonly module: Uint8Array;
  readonly snapshot?: Uint8Array;
}

/** What a store held when it was opened. */
export interface StoreContent {
  readonly functions: readonly StoredFunction[];
  /** Functions whose record cannot be read, with the reason (STORE_CORRUPT); their files stay as they are. */
  readonly corrupt: ReadonlyMap<string, NebulaError>;
}

/** The directory in which functions persist; one process has it at a time. */
export class Store {
  /** Where its ComponentCache keeps what was transpiled. */
  readonly componentsFolder: string;
  readonly #folder: string;
  readonly #unlock: () => Promise<void>;

  private constructor(root: string, unlock: () => Promise<void>) {
    this.componentsFolder = join(root, 'components');
    this.#folder = join(root, 'functions');
    this.#unlock = unlock;
  }

  /**
   * Opens the store at `directory`, which is created if missing, and deletes what interrupted writes left.
   * @throws NebulaError STORE_FAILED, also when another process has it open
   */
  static async open(directory: string): Promise<Store> {
    return failAs('open', directory, async () => {
      const folder = join(directory, 'functions');
      await createDirectory(folder);
      const root = await realpath(directory);
      const unlock = await lockStore(root);
      try {
        await removeTemporaries(root);
        await removeTemporaries(join(root, 'functions'));
      } catch (error) {
        await unlock();
        throw error;
      }
      return new Store(root, unlock);
    });
  }

  /** Every function in the store. What one of them lacks does not keep the others from being read. */
  async load(): Promise<StoreContent> {
    const functions: StoredFunction[] = [];
    const corrupt = new Map<string, NebulaError>();
    for (const name of await readdir(this.#folder)) {
      try {
        const stored = await this.#readRecord(name);
        await this.#sweep(stored);
        functions.push(stored);
      } catch (error) {
        corrupt.set(name, isNebulaError(error) ? error : corruption(join(this.#folder, name), error));
      }
    }
    return { functions, corrupt };
  }

  /** @throws NebulaError STORE_CORRUPT when a file is missing or is not what its digest says */
  async readFiles(name: string, version: StoredVersion): Promise<StoredFiles> {
    const module = await this.#readByDigest(name, version.digest, 'wasm');
    if (version.snapshotDigest === undefined) return { module };
    return { module, snapshot: await this.#readByDigest(name, version.snapshotDigest, 'snapshot') };
  }

  /**
   * Commits a function's versions, with the files of a new one.
   * @throws NebulaError STORE_FAILED; the function then is in the store as it was before
   */
  async write(stored: StoredFunction, files?: StoredFiles): Promise<void> {
    const folder = join(this.#folder, stored.name);
    await failAs('save the function', folder, async () => {
      if (await this.#has(stored.name)) {
        await writeFiles(folder, stored.versions[0], files);
        await writeDurably(join(folder, RECORD_NAME), encodeRecord(stored));
        return;
      }
      const temporary = temporaryPath(this.#folder);
      try {
        await mkdir(temporary, { mode: 0o700 });
        await writeFiles(temporary, stored.versions[0], files);
        await writeDurably(join(temporary, RECORD_NAME), encodeRecord(stored));
        await rename(temporary, folder);
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
      await syncDirectory(this.#folder);
    });
    // The change is committed: what can not be deleted now is deleted when the store is opened next.
    await this.#sweep(stored).catch(() => undefined);
  }

  /** @throws NebulaError STORE_FAILED */
  async remove(name: string): Promise<void> {
    const folder = join(this.#folder, name);
    await failAs('remove the function', folder, async () => {
      if (await this.#has(name)) await removeDirectory(folder);
    });
  }

  /** Lets another process open the store. */
  async close(): Promise<void> {
    await this.#unlock();
  }

  async #has(name: string): Promise<boolean> {
    return (await readdir(this.#folder)).includes(name);
  }

  async #readRecord(name: string): Promise<StoredFunction> {
    const path = join(this.#folder, name, RECORD_NAME);
    let text: string;
    try {
      text = await readFile(path, 'utf8');
    } catch (error) {
      throw corruption(path, error);
    }
    return decodeRecord(path, name, text);
  }

  async #readByDigest(name: string, digest: string, kind: 'wasm' | 'snapshot'): Promise<Uint8Array> {
    const path = join(this.#folder, name, `${digest}.${kind}`);
    let content: Uint8Array;
    try {
      content = await readShared(path);
    } catch (error) {
      throw corruption(path, error);
    }
    const got = await digestInTurns(content);
    if (got !== digest) throw corruption(path, new Error(`expected SHA-256 ${digest}, got ${got}`));
    return content;
  }

  /** Deletes files that no version names: temporaries, and those of versions no longer kept. */
  async #sweep(stored: StoredFunction): Promise<void> {
    const folder = join(this.#folder, stored.name);
    const kept = new Set([RECORD_NAME]);
    for (const { digest, snapshotDigest } of stored.versions) {
      kept.add(`${digest}.wasm`);
      if (snapshotDigest !== undefined) kept.add(`${snapshotDigest}.snapshot`);
    }
    for (const file of await readdir(folder)) if (!kept.has(file)) await rm(join(folder, file), { recursive: true });
  }
}

/** The files are those of the version that is current from now on. */
async function writeFiles(
  folder: string,
  { digest, snapshotDigest }: StoredVersion,
  files: StoredFiles | undefined,
): Promise<void> {
  if (files === undefined) return;
  await writeDurably(join(folder, `${digest}.wasm`), files.module);
  if (files.snapshot !== undefined) await writeDurably(join(folder, `${snapshotDigest}.snapshot`), files.snapshot);
}

function encodeRecord(stored: StoredFunction): string {
  const content = JSON.stringify({
    ...stored,
    versions: stored.versions.map((version) => ({ ...version, manifest: toManifestJson(version.manifest) })),
  });
  return `${JSON.stringify({ format: FORMAT, checksum: digestOf(content), content })}\n`;
}

function decodeRecord(path: string, name: string, text: string): StoredFunction {
  try {
    const { format, checksum, content } = JSON.parse(text) as { format: unknown; checksum: unknown; content: string };
    if (format !== FORMAT) throw new Error(`expected format ${FORMAT}, got ${String(format)}`);
    if (typeof content !== 'string' || checksum !== digestOf(content)) throw new Error('its checksum does not match');
    const stored = JSON.parse(content) as StoredFunction;
    if (stored.name !== name) throw new Error(`it is the record of "${stored.name}"`);
    const versions = stored.versions.map((version) => ({ ...version, manifest: parseManifest(version.manifest) }));
    return { ...stored, versions: versions as unknown as StoredFunction['versions'] };
  } catch (error) {
    throw corruption(path, error);
  }
}

function corruption(path: string, cause: unknown): NebulaError {
  return new NebulaError('STORE_CORRUPT', { path, detail: messageOf(cause) }, { cause });
}

async function failAs<T>(action: string, path: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    if (isNebulaError(cause)) throw cause;
    throw new NebulaError('STORE_FAILED', { action, path, detail: messageOf(cause) }, { cause });
  }
}
