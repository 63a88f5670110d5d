/** `nebula prepare`: a component transpiled once, as a folder that can be deployed where the transpiler is not installed. */

import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { isComponent } from '../../host/component/prepare/binary.ts';
import { prepareComponent, transpileComponent } from '../../host/preparation/component.ts';
import { argumentError } from '../../host/errors.ts';
import { resolveLimits } from '../../host/limits.ts';
import { toManifestJson } from '../wire/manifest-json.ts';
import { writeDurably } from '../registry/durable-file.ts';
import { writePrepared } from '../registry/prepared-folder.ts';
import { loadSource, MANIFEST_NAME } from '../registry/source.ts';
import { print } from './streams.ts';

/** Options of `prepare`. */
export interface PrepareOptions {
  readonly out: string;
  readonly json?: boolean;
}

const MODULE_NAME = 'component.wasm';

/** Refuses what could not be deployed, then writes the component, its transpiled form and a manifest. */
export async function prepare(options: PrepareOptions, target: string): Promise<void> {
  const { module, manifest } = await loadSource(resolve(target));
  if (!isComponent(module)) throw argumentError('file', 'a component: a core module needs no preparing', target);
  const limits = resolveLimits(manifest.limits);
  const transpiled = await transpileComponent(module, limits);
  const { component } = await prepareComponent(transpiled, limits);
  const folder = resolve(options.out);
  await mkdir(folder, { recursive: true });
  await writePrepared(folder, transpiled);
  await writeDurably(join(folder, MODULE_NAME), module);
  const written = { ...manifest, module: MODULE_NAME };
  await writeDurably(join(folder, MANIFEST_NAME), `${JSON.stringify(toManifestJson(written), undefined, 2)}\n`);
  const { kind, digest } = component;
  await print(
    options.json === true,
    { name: manifest.name, kind, digest, folder },
    () => `Prepared ${manifest.name} (${kind}, ${digest.slice(0, 12)}) in ${options.out}`,
  );
}
