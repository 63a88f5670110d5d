/** `nebula types`: TypeScript declarations of a component's exports. */

import { dirname, join, resolve } from 'node:path';
import { mkdir } from 'node:fs/promises';
import { isComponent } from '../../host/component/prepare/binary.ts';
import { declareComponent } from '../../host/preparation/component.ts';
import { readWorld } from '../../host/component/prepare/wit.ts';
import { argumentError } from '../../host/errors.ts';
import { resolveLimits } from '../../host/limits.ts';
import { CALLS_NAME, declareCalls } from '../component/call-types.ts';
import { writeDurably } from '../registry/durable-file.ts';
import { loadSource } from '../registry/source.ts';
import { print } from './streams.ts';

/** Options of `types`. */
export interface TypesOptions {
  readonly out: string;
  readonly json?: boolean;
}

/** Writes `calls.d.ts`, and beside it the declarations it refers to. */
export async function types(options: TypesOptions, target: string): Promise<void> {
  const { module, manifest } = await loadSource(resolve(target));
  if (!isComponent(module)) throw argumentError('file', 'a component: a core module has no types', target);
  const { types: declarations, wit } = await declareComponent(module, resolveLimits(manifest.limits));
  const files = declareCalls(declarations, readWorld(wit).exports);
  const folder = resolve(options.out);
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeDurably(path, text);
  }
  await print(
    options.json === true,
    { folder, files: Object.keys(files) },
    () => `Wrote ${join(options.out, CALLS_NAME)}, and ${Object.keys(files).length - 1} files it refers to`,
  );
}
