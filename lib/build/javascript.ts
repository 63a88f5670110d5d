/** JavaScript and TypeScript: bundled by esbuild, made a component of WASI 0.2 by componentize-js. Both come with the folder's packages. */

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { messageOf, NebulaError } from '../../host/errors.ts';
import type { Builder, BuildTask } from './builder.ts';
import { requirePackage } from './packages.ts';
import { runTool } from './tool.ts';

/** Where a package has its source, where its package.json does not say `source`. */
const ENTRIES = ['src/index.ts', 'src/index.js', 'index.ts', 'index.js'];

/** As much of esbuild as is used. */
interface Esbuild {
  build(options: Readonly<Record<string, unknown>>): Promise<unknown>;
}

export const javascript: Builder = {
  about: 'a package of JavaScript or TypeScript (package.json)',
  matches: (names) => names.has('package.json'),
  written: ['node_modules'],
  async build(task) {
    const entry = await entryOf(task.folder);
    const esbuild = requirePackage('esbuild', task.folder);
    const componentize = requirePackage('@bytecodealliance/componentize-js', task.folder);
    const scratch = await mkdtemp(join(tmpdir(), 'nebula-build-'));
    try {
      const bundle = join(scratch, `${task.name}.js`);
      task.say('esbuild bundles it');
      await bundleInto(bundle, entry, esbuild.entry, task);
      task.say('componentize-js makes a component of it');
      // It keeps its thread busy for as long as it takes: a process of its own.
      const program = join(import.meta.dirname, 'componentize.js');
      const given = [program, bundle, task.modulePath, componentize.entry, componentize.folder];
      await runTool({ program: process.execPath, given, folder: task.folder, signal: task.signal });
    } finally {
      await rm(scratch, { recursive: true, force: true });
    }
  },
};

async function entryOf(folder: string): Promise<string> {
  const path = join(folder, 'package.json');
  let source: unknown;
  try {
    ({ source } = JSON.parse(await readFile(path, 'utf8')) as { readonly source?: unknown });
  } catch (cause) {
    throw new NebulaError('FILE_UNREADABLE', { path, detail: messageOf(cause) }, { cause });
  }
  const tried = typeof source === 'string' ? [source] : ENTRIES;
  const found = tried.map((name) => join(folder, name)).find((name) => existsSync(name));
  if (found !== undefined) return found;
  const detail = `expected the source in ${tried.join(', ')}; "source" in package.json names another`;
  throw new NebulaError('BUILD_FAILED', { folder, tool: 'esbuild', detail });
}

async function bundleInto(outfile: string, entry: string, module: string, { folder }: BuildTask): Promise<void> {
  const esbuild = (await import(pathToFileURL(module).href)) as Esbuild;
  try {
    await esbuild.build({
      entryPoints: [entry],
      outfile,
      absWorkingDir: folder,
      bundle: true,
      format: 'esm',
      platform: 'neutral',
      mainFields: ['module', 'main'],
      conditions: ['worker', 'browser'],
      external: ['wasi:*'],
      target: 'es2023',
      logLevel: 'silent',
    });
  } catch (cause) {
    throw new NebulaError('BUILD_FAILED', { folder, tool: 'esbuild', detail: messageOf(cause) }, { cause });
  }
}
