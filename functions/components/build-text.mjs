/** Makes components of the core modules in text: embeds the world of wasi:http and links. Run `npm ci` here first. */

import { readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { componentEmbed, componentNew, parse } from '@bytecodealliance/jco';

const here = import.meta.dirname;
const jco = join(dirname(createRequire(import.meta.url).resolve('@bytecodealliance/jco')), '..');

/** Components in the field ask for this version; jco has the text of a later one. */
const VERSION = '0.2.3';
const WIT_VERSION = '0.2.12';

/** The packages of WASI as one text. */
async function readWit() {
  const folder = join(jco, 'lib', 'wit', 'builtin', WIT_VERSION);
  const packages = [
    `package nebula:text;\nworld handler {
  import wasi:sockets/instance-network@${VERSION};
  import wasi:sockets/tcp@${VERSION};
  import wasi:sockets/tcp-create-socket@${VERSION};
  export wasi:http/incoming-handler@${VERSION};
}`,
  ];
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name, 'package.wit'), 'utf8');
    packages.push(text.replaceAll(WIT_VERSION, VERSION).replace(/^package ([^;]+);/m, 'package $1 {') + '\n}');
  }
  return packages.join('\n');
}

const witSource = await readWit();
for (const name of ['dial', 'hello', 'trailers']) {
  const binary = await parse(await readFile(join(here, name, `${name}.wat`), 'utf8'));
  const embedded = await componentEmbed({ binary, witSource, world: 'handler' });
  await writeFile(join(here, name, `${name}.wasm`), await componentNew(embedded, []));
}
