/** Folders to begin with: what `nebula new` copies. */

import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { argumentError, messageOf, NebulaError } from '../../host/errors.ts';
import { NAME_PATTERN } from '../schema/manifest.ts';
import type { Template } from './template-names.ts';

/** Compiled to dist/lib/build. */
const FOLDER = join(import.meta.dirname, '..', '..', '..', 'functions', 'templates');

/** Those whose tools are packages of the folder's own. */
const WITH_PACKAGES: ReadonlySet<Template> = new Set(['js', 'ts', 'python-script']);

/** A folder that was made. */
export interface NewFolder {
  readonly folder: string;
  /** Relative to it. */
  readonly files: readonly string[];
  /** What to type in it, in order. */
  readonly next: readonly string[];
}

/**
 * Makes the folder `given`, whose last part is the function's name.
 * @throws TypeError for a name that is none, or a folder that is not empty; NebulaError FILE_UNREADABLE
 */
export async function makeFolder(given: string, template: Template): Promise<NewFolder> {
  const folder = resolve(given);
  const name = relative(dirname(folder), folder);
  if (!new RegExp(NAME_PATTERN).test(name)) {
    const expected = 'a path that ends with a name of 1 to 64 of a-z 0-9 . _ - that starts with a letter or digit';
    throw argumentError('name', expected, given);
  }
  if (existsSync(folder) && (await isFilled(folder)))
    throw argumentError('name', 'a folder that is new or empty', given);
  const source = join(FOLDER, template);
  const files: string[] = [];
  for (const path of await filesIn(source)) {
    const text = await readFile(join(source, path), 'utf8');
    // npm publishes no .gitignore.
    const placed = path === 'gitignore' ? '.gitignore' : path;
    await mkdir(dirname(join(folder, placed)), { recursive: true });
    await writeFile(join(folder, placed), text.replaceAll('__NAME__', name).replaceAll('__CRATE__', packageName(name)));
    files.push(placed);
  }
  const next = WITH_PACKAGES.has(template) ? ['npm install', 'npx nebula build'] : ['npx nebula build'];
  return { folder, files: files.sort(), next };
}

async function isFilled(folder: string): Promise<boolean> {
  try {
    return (await readdir(folder)).length > 0;
  } catch (cause) {
    throw new NebulaError('FILE_UNREADABLE', { path: folder, detail: messageOf(cause) }, { cause });
  }
}

async function filesIn(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)));
}

/** Cargo has folders of these names beside what it builds, and takes no program that has one. */
const CARGO_FOLDERS: ReadonlySet<string> = new Set(['build', 'deps', 'examples', 'incremental']);

/** A name that Cargo and npm take: both want a letter first, and Cargo no dots. */
function packageName(name: string): string {
  const plain = name.replaceAll('.', '-');
  return /^[a-z]/.test(plain) && !CARGO_FOLDERS.has(plain) ? plain : `f-${plain}`;
}
