/**
 * What `npm run build` adds to what the compiler wrote.
 *
 * Beside each entry of the package in dist, what `require` loads: NAME.cjs, which requires the ES module where the Node can
 * and says what to do where it cannot, and NAME.d.cts, which gives its types to CommonJS.
 *
 * The help of the benchmarks, which the package tells without having them.
 */

import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const root = join(import.meta.dirname, '..');
const { name, exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

for (const [path, entry] of Object.entries(exports)) {
  const built = entry.import?.default;
  if (built === undefined) continue;
  const values = await import(pathToFileURL(join(root, built)).href);
  const place = join(root, built.replace(/\.js$/, ''));
  writeFileSync(`${place}.cjs`, codeOf(join(name, path), basename(built)));
  writeFileSync(`${place}.d.cts`, declarationsOf(values, basename(built)));
}

const help = execFileSync(process.execPath, [join(root, 'dist/bench/main.js'), '--help'], {
  env: { ...process.env, COLUMNS: '80', NO_COLOR: '1' },
});
writeFileSync(join(root, 'dist/lib/cli/bench-help.txt'), help);

function codeOf(specifier, file) {
  return `'use strict';
try {
  module.exports = require('./${file}');
} catch (error) {
  if (error.code !== 'ERR_REQUIRE_ESM') throw error;
  const text =
    '"${specifier}" is an ES module, which Node ' + process.versions.node + " cannot require: " +
    "use await import('${specifier}'), or Node 20.19, 22.12 or newer";
  throw Object.assign(new Error(text, { cause: error }), { code: error.code });
}
`;
}

/** Types come with the star; a value hides what the star has of its name, so that a class needs its type again. */
function declarationsOf(values, file) {
  const from = `'./${file}' with { 'resolution-mode': 'import' }`;
  const lines = Object.keys(values).map((each) => {
    const type = isClass(values[each]) ? `export type ${each} = Entry.${each};\n` : '';
    return `export declare const ${each}: typeof Entry.${each};\n${type}`;
  });
  return `import type * as Entry from ${from};\nexport type * from ${from};\n${lines.join('')}`;
}

function isClass(value) {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}
