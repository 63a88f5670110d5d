/** Turns what `deploy` was given into a module's bytes and a whole manifest. Reads files, checks nothing inside the module. */

import { readFile, stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { NO_BYTES, sharedCopy, UTF8_DECODER } from '../../host/bytes.ts';
import type { TranspiledComponent } from '../../host/definition/prepared-component.ts';
import { argumentError, messageOf, NebulaError } from '../../host/errors.ts';
import { isComponent } from '../../host/component/prepare/binary.ts';
import { DEFAULT_LIMITS } from '../../host/limits.ts';
import type { DeployOptions, Manifest } from '../schema/manifest.ts';
import type { DeploySource } from '../api/nebula.ts';
import { TURN_BYTES } from './digest.ts';
import { readShared } from './shared-file.ts';
import { readPrepared } from './prepared-folder.ts';
import { parseManifest, parseManifestText } from '../manifest/manifest.ts';
import { mergeManifests, resolveMounts } from '../manifest/merge.ts';

/** The name of a manifest in a function's folder. */
export const MANIFEST_NAME = 'nebula.json';

/** Only a mount with a relative path needs the working directory, which may be gone. */
const HERE = '.';

/** A function as it was given: nothing in it refers to a file any more, mounts have absolute machine paths. */
export interface LoadedSource {
  readonly module: Uint8Array;
  readonly manifest: Manifest;
  readonly snapshot?: Uint8Array;
  /** What `nebula prepare` made of a component. */
  readonly transpiled?: TranspiledComponent;
  /** The files it came from, for those who watch them. */
  readonly paths: readonly string[];
}

/** A manifest file read, with the absolute path of its module. */
export interface LocatedManifest {
  readonly manifest: Manifest;
  readonly path: string;
  readonly modulePath: string;
}

/**
 * Reads the manifest at a path or in a folder.
 * @throws NebulaError FILE_UNREADABLE, MANIFEST_INVALID
 */
export async function readManifest(pathOrFolder: string): Promise<LocatedManifest> {
  const given = resolve(pathOrFolder);
  const path = (await isDirectory(given)) ? join(given, MANIFEST_NAME) : given;
  const text = UTF8_DECODER.decode(await readWhole(path));
  const manifest = resolveMounts(
    nameFile(path, () => parseManifestText(text)),
    dirname(path),
  );
  return { manifest, path, modulePath: resolve(dirname(path), manifest.module ?? `${manifest.name}.wasm`) };
}

/**
 * @param defaultModuleBytes the largest module to read when the manifest names no limit
 * @throws NebulaError FILE_UNREADABLE, MANIFEST_INVALID, MODULE_TOO_LARGE; TypeError for what is no source
 */
export async function loadSource(
  source: DeploySource,
  options: DeployOptions = {},
  defaultModuleBytes: number = DEFAULT_LIMITS.moduleBytes,
): Promise<LoadedSource> {
  const { snapshot, ...over } = options;
  if (source instanceof Uint8Array) {
    const manifest = resolveMounts(parseManifest(over), undefined);
    checkSize(source.length, manifest, defaultModuleBytes);
    // The caller may write to its bytes while this deploy still waits.
    const loaded = await finish(sharedCopy(source), manifest, snapshot, []);
    // Copying megabytes takes milliseconds: what follows has a turn of its own.
    if (source.length >= TURN_BYTES) await setImmediate();
    return loaded;
  }
  const path = resolve(toPath(source));
  if (extname(path) === '.json' || (await isDirectory(path))) {
    const located = await readManifest(path);
    const manifest = resolveMounts(parseManifest(mergeManifests(located.manifest, over)), HERE);
    const isImage = manifest.container?.image !== undefined;
    const module = isImage ? NO_BYTES : await readModule(located.modulePath, manifest, defaultModuleBytes);
    const stored = manifest.snapshot === undefined ? undefined : resolve(dirname(located.path), manifest.snapshot);
    const loaded = await finish(
      module,
      manifest,
      snapshot ?? stored,
      isImage ? [located.path] : [located.path, located.modulePath],
    );
    const transpiled = isComponent(module) ? await readPrepared(dirname(located.path)) : undefined;
    return transpiled === undefined ? loaded : { ...loaded, transpiled };
  }
  const manifest = resolveMounts(
    parseManifest(mergeManifests({ name: basename(path, '.wasm').toLowerCase() }, over)),
    HERE,
  );
  return finish(await readModule(path, manifest, defaultModuleBytes), manifest, snapshot, [path]);
}

/** @throws TypeError for what is neither a path nor the URL of a file */
function toPath(source: DeploySource): string {
  if (typeof source === 'string' && source !== '') return source;
  if (source instanceof URL && source.protocol === 'file:') return fileURLToPath(source);
  throw argumentError('source', 'the bytes of a module, a path, or a file: URL', source);
}

async function finish(
  module: Uint8Array,
  given: Manifest,
  snapshot: Uint8Array | string | undefined,
  paths: readonly string[],
): Promise<LoadedSource> {
  const { module: _module, snapshot: _snapshot, ...manifest } = given;
  if (snapshot === undefined) return { module, manifest, paths };
  const content = typeof snapshot === 'string' ? await readWhole(resolve(snapshot)) : snapshot.slice();
  return { module, manifest, snapshot: content, paths };
}

async function readModule(path: string, manifest: Manifest, defaultModuleBytes: number): Promise<Uint8Array> {
  let sizeBytes: number;
  try {
    sizeBytes = (await stat(path)).size;
  } catch (cause) {
    throw unreadable(path, cause);
  }
  checkSize(sizeBytes, manifest, defaultModuleBytes);
  try {
    return await readShared(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** @throws NebulaError MODULE_TOO_LARGE */
export function checkSize(sizeBytes: number, { name, limits }: Manifest, defaultModuleBytes: number): void {
  const limitBytes = limits?.moduleBytes ?? defaultModuleBytes;
  if (sizeBytes <= limitBytes) return;
  const option = 'limits.moduleBytes of its manifest';
  throw new NebulaError('MODULE_TOO_LARGE', { name, sizeBytes, limitBytes, option });
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function readWhole(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): NebulaError {
  return new NebulaError('FILE_UNREADABLE', { path, detail: messageOf(cause) }, { cause });
}

/** Says in a manifest's error which file it is about. */
function nameFile<T>(path: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (!(cause instanceof NebulaError) || cause.key !== 'MANIFEST_INVALID') throw cause;
    throw new NebulaError('MANIFEST_INVALID', { detail: `${String(cause.fields['detail'])} (in ${path})` }, { cause });
  }
}
