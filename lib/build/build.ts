/** Builds a function's module from the sources in its folder, whatever they are written in. */

import { existsSync } from 'node:fs';
import { readdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { messageOf, NebulaError } from '../../host/errors.ts';
import { MANIFEST_NAME, readManifest } from '../registry/source.ts';
import type { Builder } from './builder.ts';
import { c } from './c.ts';
import { javascript } from './javascript.ts';
import { python } from './python.ts';
import { rust } from './rust.ts';

/** The first that matches builds: a Python script's folder has a package.json, too. */
const BUILDERS: readonly Builder[] = [rust, python, javascript, c];

/** What to tell, and when to give up. */
export interface BuildOptions {
  readonly say?: (step: string) => void;
  /** Told where the module goes before it is there, for those who watch the folder. */
  readonly onPlace?: (modulePath: string) => void;
  readonly signal?: AbortSignal | undefined;
}

/** What was built. */
export interface Built {
  readonly name: string;
  /** Absolute. */
  readonly modulePath: string;
  /** What deploys it: the folder, where it has a manifest, else the module. */
  readonly deployable: string;
}

/**
 * Builds what the manifest in the folder names or, without one, a module of the folder's name. One that is there is replaced
 * at once, and stays where the build fails.
 * @throws NebulaError BUILD_FAILED, TOOL_MISSING, FILE_UNREADABLE, MANIFEST_INVALID
 */
export async function buildFunction(given: string, options: BuildOptions = {}): Promise<Built> {
  const folder = resolve(given);
  const builder = await builderOf(folder);
  const hasManifest = existsSync(join(folder, MANIFEST_NAME));
  const { name, modulePath } = hasManifest ? await placeOf(folder) : namedBy(folder);
  options.onPlace?.(modulePath);
  const unfinished = join(dirname(modulePath), `.${basename(modulePath)}.${process.pid}`);
  try {
    // Tools would write through a link that is there.
    await rm(unfinished, { force: true });
    await builder.build({
      folder,
      name,
      modulePath: unfinished,
      say: options.say ?? (() => undefined),
      signal: options.signal,
    });
    await rename(unfinished, modulePath);
  } finally {
    await rm(unfinished, { force: true });
  }
  return { name, modulePath, deployable: hasManifest ? folder : modulePath };
}

/** What builds the sources in a folder; undefined where there are none. */
export async function findBuilder(folder: string): Promise<Builder | undefined> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (cause) {
    throw new NebulaError('FILE_UNREADABLE', { path: folder, detail: messageOf(cause) }, { cause });
  }
  const all = new Set(names);
  return BUILDERS.find((builder) => builder.matches(all));
}

async function builderOf(folder: string): Promise<Builder> {
  const builder = await findBuilder(folder);
  if (builder !== undefined) return builder;
  const detail = `expected ${BUILDERS.map(({ about }) => about).join(', or ')}`;
  throw new NebulaError('BUILD_FAILED', { folder, tool: 'nebula build', detail });
}

async function placeOf(folder: string): Promise<{ readonly name: string; readonly modulePath: string }> {
  const { manifest, modulePath } = await readManifest(folder);
  return { name: manifest.name, modulePath: await below(folder, modulePath) };
}

/** The path without symbolic links between the folder and the file. @throws NebulaError BUILD_FAILED where it is not below the folder */
async function below(folder: string, path: string): Promise<string> {
  const refused = (got: string, cause?: unknown): NebulaError => {
    const detail = `expected the module of ${MANIFEST_NAME} in the folder or in one below it, got ${got}`;
    return new NebulaError('BUILD_FAILED', { folder, tool: 'nebula build', detail }, { cause });
  };
  let parent: string;
  try {
    parent = relative(await realpath(folder), await realpath(dirname(path)));
  } catch (cause) {
    throw refused(messageOf(cause), cause);
  }
  // On Windows, what is on another drive has no relative path.
  if (parent === '..' || parent.startsWith(`..${sep}`) || isAbsolute(parent)) throw refused(path);
  return join(folder, parent, basename(path));
}

function namedBy(folder: string): { readonly name: string; readonly modulePath: string } {
  const name = basename(folder).toLowerCase();
  return { name, modulePath: join(folder, `${name}.wasm`) };
}
