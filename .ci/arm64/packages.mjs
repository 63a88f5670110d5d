// `node packages.mjs NAME...`: the folders under node_modules of the package's dependencies and of those named, with all that they
// depend on, one a line, as package-lock.json places them.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
const places = new Set();

/** Where Node finds a package from a folder: in its own node_modules, else in that of a folder above. */
function add(name, from) {
  for (let folder = from; ; folder = folder.slice(0, folder.lastIndexOf('node_modules/')).replace(/\/$/, '')) {
    const place = `${folder === '' ? '' : `${folder}/`}node_modules/${name}`;
    if (packages[place] !== undefined) {
      if (places.has(place)) return;
      places.add(place);
      for (const needed of Object.keys(packages[place].dependencies ?? {})) add(needed, place);
      return;
    }
    if (folder === '') return;
  }
}

for (const name of [...Object.keys(packages[''].dependencies), ...process.argv.slice(2)]) add(name, '');
process.stdout.write([...places].map((place) => `${place}\n`).join(''));
