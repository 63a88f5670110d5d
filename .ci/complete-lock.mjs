// Adds to package-lock.json the packages for other platforms that it lacks. A registry that does not hold them has npm
// leave them out of the lock, and `npm ci` then refuses that lock. Run it after every change of
// a dependency, with the folder of the lock as its argument where that is not this package's.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SYSTEMS = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openbsd', 'openharmony', 'sunos', 'win32'];
const PROCESSORS = ['arm', 'arm64', 'ia32', 'loong64', 'mips64el', 'ppc64', 'riscv64', 's390x', 'x64'];
const PORTABLE = 'wasm32';
const LIBRARIES = { musl: 'musl', musleabihf: 'musl', gnu: 'glibc', gnueabihf: 'glibc' };

/** What a package for one platform says in the lock; all there is to know of it is in its name. */
function entryOf(name, version, isDevelopment) {
  const parts = name.split('/').at(-1).split('-');
  if (parts.includes(PORTABLE))
    return { version, cpu: [PORTABLE], ...(isDevelopment ? { dev: true } : {}), optional: true };
  const os = SYSTEMS.find((system) => parts.includes(system));
  const cpu = PROCESSORS.find((processor) => parts.includes(processor));
  if (os === undefined || cpu === undefined || !/^\d/.test(version)) {
    throw new Error(`Cannot tell the platform of ${name}@${version}`);
  }
  const libc =
    os === 'linux' ? parts.map((part) => LIBRARIES[part]).find((library) => library !== undefined) : undefined;
  return {
    version,
    cpu: [cpu],
    ...(isDevelopment ? { dev: true } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    os: [os],
  };
}

const path = join(process.argv[2] ?? join(import.meta.dirname, '..'), 'package-lock.json');
const lock = JSON.parse(readFileSync(path, 'utf8'));
const added = {};
for (const [where, { optionalDependencies = {}, dev = false }] of Object.entries(lock.packages)) {
  if (where === '') continue;
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const places = [`node_modules/${name}`, `${where}/node_modules/${name}`];
    if (places.every((place) => lock.packages[place] === undefined)) added[places[0]] = entryOf(name, version, dev);
  }
}
const packages = Object.entries({ ...lock.packages, ...added }).sort(([left], [right]) =>
  left.localeCompare(right, 'en'),
);
writeFileSync(path, `${JSON.stringify({ ...lock, packages: Object.fromEntries(packages) }, null, 2)}\n`);
process.stdout.write(`Added ${Object.keys(added).length} packages\n`);
