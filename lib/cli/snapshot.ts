/** `nebula snapshot`: runs a function's initialisation once, here, and writes the state it left as a file. */

import { createHash } from 'node:crypto';
import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { NO_BYTES } from '../../host/bytes.ts';
import { isComponent } from '../../host/component/prepare/binary.ts';
import { argumentError, NebulaError } from '../../host/errors.ts';
import { initialise } from '../../host/micro-vm/initialise.ts';
import { encodeSnapshot } from '../../host/snapshot/codec.ts';
import { imageBytes } from '../../host/snapshot/snapshot.ts';
import { writeDurably } from '../registry/durable-file.ts';
import { defineFunction } from '../registry/function-definition.ts';
import { loadSource, readManifest, type LoadedSource } from '../registry/source.ts';
import { applyOptions, type FunctionOptions } from './options.ts';
import { print } from './streams.ts';

/** Options of `snapshot`. */
export interface SnapshotOptions extends Pick<FunctionOptions, 'memoryMib'> {
  readonly out: string;
  readonly manifest?: string;
  readonly json?: boolean;
}

const KIB = 1024;

/**
 * Initialises under the function's limits and its init-time capabilities, then writes the snapshot in one step.
 * @throws NebulaError SNAPSHOT_UNSUPPORTED for what has none; what `loadSource`, `defineFunction` and `initialise` throw
 */
export async function snapshot(options: SnapshotOptions, target: string): Promise<void> {
  const out = resolve(options.out);
  await refuseUnwritable(out);
  const { module, manifest } = await load(resolve(target), options.manifest);
  const { runtime = 'wasm' } = manifest;
  if (runtime !== 'wasm') throw unsupported(`its runtime is "${runtime}": expected "wasm"`);
  if (isComponent(module)) throw unsupported('it is a component: expected a core module');
  const source = { module, manifest: applyOptions(manifest, options) };
  const definition = await defineFunction(manifest.name, source, { audit: false });
  const { snapshot: taken, reads, initialiseNs } = initialise(definition);
  const file = encodeSnapshot(taken);
  await writeDurably(out, file);
  const shown = {
    name: manifest.name,
    path: out,
    digest: taken.digest,
    sizeBytes: file.length,
    snapshotDigest: createHash('sha256').update(file).digest('hex'),
    memoryBytes: taken.memoryBytes,
    imageBytes: imageBytes(taken),
    runs: taken.runs.length,
    reads,
    initialiseNs,
  };
  await print(options.json === true, shown, () => describe(options.out, shown));
}

async function load(path: string, manifestPath: string | undefined): Promise<LoadedSource> {
  if (manifestPath === undefined) return loadSource(path, { snapshot: NO_BYTES });
  const { module: _module, snapshot: _snapshot, ...over } = (await readManifest(manifestPath)).manifest;
  return loadSource(path, { ...over, snapshot: NO_BYTES });
}

/** An initialisation may take long: what cannot be written afterwards is refused before. */
async function refuseUnwritable(path: string): Promise<void> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
  const isReachable = await access(dirname(path), constants.W_OK).then(
    () => true,
    () => false,
  );
  if (isFolder || !isReachable) throw argumentError('out', 'a file in a folder that can be written to', path);
}

function unsupported(detail: string): NebulaError {
  return new NebulaError('SNAPSHOT_UNSUPPORTED', { detail });
}

interface Shown {
  readonly name: string;
  readonly digest: string;
  readonly sizeBytes: number;
  readonly snapshotDigest: string;
  readonly memoryBytes: number;
  readonly imageBytes: number;
  readonly runs: number;
  readonly reads: readonly string[];
  readonly initialiseNs: number;
}

function describe(out: string, shown: Shown): string {
  const { name, digest, sizeBytes, snapshotDigest, memoryBytes, reads, initialiseNs } = shown;
  const rows: readonly (readonly [string, string])[] = [
    ['snapshot', `${out}, ${sizeBytes} bytes, digest ${snapshotDigest}`],
    ['of', `${name}, module ${digest}`],
    ['memory', `${memoryBytes / KIB} KiB, ${shown.imageBytes / KIB} KiB of it not zero in ${shown.runs} runs of pages`],
    ['init', `in ${(initialiseNs / 1e6).toFixed(1)} ms, read ${reads.join(' and ') || 'neither random nor clock'}`],
  ];
  return rows.map(([title, text]) => `${title.padEnd(10)} ${text}`).join('\n');
}
