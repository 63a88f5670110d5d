/** Builds the components: JavaScript by componentize-js, core modules with the preview1 adapter. Run `npm ci` here first. */

import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { componentize } from '@bytecodealliance/componentize-js';

const here = import.meta.dirname;
const jco = join(dirname(createRequire(import.meta.url).resolve('@bytecodealliance/jco')), '..');

/** The engine of componentize-js 0.23.0 speaks this version of wasi:http; jco has the text of a later one. */
const HTTP_VERSION = '0.2.10';
const WIT_VERSION = '0.2.12';

/** The world of a component that answers requests, with the packages it names. */
async function writeWorld(folder) {
  await cp(join(jco, 'lib', 'wit', 'builtin', WIT_VERSION), join(folder, 'deps'), { recursive: true });
  for (const name of await readdir(join(folder, 'deps'))) {
    const path = join(folder, 'deps', name, 'package.wit');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replaceAll(WIT_VERSION, HTTP_VERSION));
  }
  const world = `package nebula:web;\n\nworld web {\n  export wasi:http/incoming-handler@${HTTP_VERSION};\n}\n`;
  await writeFile(join(folder, 'world.wit'), world);
}

const folder = await mkdtemp(join(tmpdir(), 'nebula-wit-'));
try {
  await writeWorld(folder);
  const sourcePath = join(here, 'web', 'web.js');
  const { component } = await componentize({ sourcePath, witPath: folder, worldName: 'web' });
  await writeFile(join(here, 'web', 'web.wasm'), component);
} finally {
  await rm(folder, { recursive: true, force: true });
}
await cp(
  join(jco, 'lib', 'wasi_snapshot_preview1.command.wasm'),
  join(here, 'adapter', 'wasi_snapshot_preview1.command.wasm'),
);
