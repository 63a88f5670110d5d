/**
 * `node componentize.js SOURCE MODULE ENTRY FOLDER`: a wasi:http component of a bundled program that listens for `fetch` events. ENTRY
 * is the file of componentize-js, FOLDER its package, beside which is jco with the text of WASI. A process of its own.
 */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { requirePackage } from './packages.ts';

/** The engine of componentize-js 0.23 speaks this version of wasi:http. */
const HTTP_VERSION = '0.2.10';

interface Componentize {
  componentize(options: {
    readonly sourcePath: string;
    readonly witWorld: string;
    readonly worldName: string;
  }): Promise<{ readonly component: Uint8Array }>;
}

const [, , sourcePath = '', modulePath = '', entry = '', folder = ''] = process.argv;
try {
  const engine = (await import(pathToFileURL(entry).href)) as Componentize;
  const witWorld = await httpWorld(requirePackage('@bytecodealliance/jco', folder).folder);
  const { component } = await engine.componentize({ sourcePath, witWorld, worldName: 'component' });
  await writeFile(modulePath, component);
} catch (error) {
  // Errors of the program itself have their place in it in their text.
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

/** The WIT text of a world that answers HTTP requests, with the packages of WASI that it names, as jco has them. */
async function httpWorld(jco: string): Promise<string> {
  const builtin = join(jco, 'lib', 'wit', 'builtin');
  const versions = (await readdir(builtin)).filter((name) => /^0\.2\.\d+$/.test(name));
  const whole: { readonly version: string; readonly names: readonly string[] }[] = [];
  for (const version of versions) {
    const names = (await readdir(join(builtin, version))).sort();
    if (names.some((name) => name.endsWith('http'))) whole.push({ version, names });
  }
  const [found] = whole;
  if (found === undefined) throw new Error(`${builtin} has no text of wasi:http`);
  const texts = await Promise.all(
    found.names.map((name) => readFile(join(builtin, found.version, name, 'package.wit'), 'utf8')),
  );
  const packages = texts.map((text) =>
    // Every version of WASI 0.2 has what the engine uses.
    text.replaceAll(found.version, HTTP_VERSION).replace(/^package ([^;]+);(.*)/ms, 'package $1 {$2}\n'),
  );
  const world = `world component {\n  export wasi:http/incoming-handler@${HTTP_VERSION};\n}`;
  return ['package nebula:function;', world, ...packages].join('\n');
}
