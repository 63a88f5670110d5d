/**
 * `node componentize.mjs SOURCE.js [-o FILE.wasm]`: makes a wasi:http component of a JavaScript program that listens for
 * `fetch` events. Run `npm ci` here first: componentize-js brings the engine.
 */

import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

/** The engine of componentize-js 0.23.0 speaks this version of wasi:http. */
const HTTP_VERSION = '0.2.10';

/** The component that a program in a file makes. */
export async function componentizeFile(sourcePath) {
  const { componentize } = await import('@bytecodealliance/componentize-js');
  const { httpWorld } = await import('./wit.mjs');
  const witWorld = await httpWorld(HTTP_VERSION);
  const { component } = await componentize({ sourcePath, witWorld, worldName: 'component' });
  return component;
}

async function main() {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { output: { type: 'string', short: 'o' } },
  });
  const [source] = positionals;
  if (source === undefined || positionals.length > 1)
    throw new Error('expected one SOURCE.js, and -o FILE.wasm or nothing');
  const output = values.output ?? `${basename(source).replace(/\.m?js$/, '')}.wasm`;
  const component = await componentizeFile(source);
  await writeFile(output, component);
  process.stdout.write(`Wrote ${output}, ${(component.length / 2 ** 20).toFixed(1)} MiB\n`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main().catch((error) => {
    const isMissing = error.code === 'ERR_MODULE_NOT_FOUND';
    process.stderr.write(
      `Cannot componentize: ${error.message}${isMissing ? `\nRun: npm ci --prefix ${import.meta.dirname}` : ''}\n`,
    );
    process.exitCode = 1;
  });
}
