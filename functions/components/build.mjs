/**
 * `node build.mjs`: builds the components. `--check` builds them elsewhere and fails when a committed one is not what its
 * source makes. Run `npm ci` here first. The Rust ones need Debian's rustc, cargo, libstd-rust-dev-wasm32 and lld.
 *
 * What componentize-js makes differs from run to run, so that a JavaScript component is checked by the digests of its
 * source and of itself.
 */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cp, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { componentEmbed, componentNew } from '@bytecodealliance/jco-transpile/wasm-tools';
import { componentizeFile } from './componentize.mjs';
import { ADAPTERS, httpWorld } from './wit.mjs';

const here = import.meta.dirname;
const functions = join(here, '..');
const ADAPTER = 'wasi_snapshot_preview1.command.wasm';

/** `sources` are files and folders that the component is made from. */
const COMPONENTS = {
  'call-out': { language: 'rust', sources: ['call-out', 'http'], imports: ['wasi:http/outgoing-handler'] },
  'match-lines': { language: 'rust-command', sources: ['match-lines', `adapter/${ADAPTER}`] },
  scripted: { language: 'rust', sources: ['scripted'], imports: [] },
  transform: { language: 'rust', sources: ['transform', 'http'], imports: [] },
  web: { language: 'javascript', sources: ['web/web.js'] },
};

const MAKERS = {
  async rust(name, { imports }) {
    const binary = cargo(name, 'wasm32-unknown-unknown', `${name.replaceAll('-', '_')}.wasm`);
    const options = { witSource: await httpWorld(undefined, imports), world: 'component', stringEncoding: 'utf8' };
    return componentNew(await componentEmbed({ binary: await binary, ...options }), []);
  },
  async 'rust-command'(name) {
    const binary = await cargo(name, 'wasm32-wasi', `${name}.wasm`);
    return componentNew(binary, [['wasi_snapshot_preview1', await read(join(here, 'adapter', ADAPTER))]]);
  },
  javascript: (name) => componentizeFile(join(here, name, `${name}.js`)),
};

/** The core module of a member of the Cargo workspace, with the settings of functions/build.sh. */
function cargo(name, target, file) {
  const {
    RUSTFLAGS: _flags,
    CARGO_BUILD_RUSTFLAGS: _buildFlags,
    CARGO_TARGET_DIR: _folder,
    ...environment
  } = process.env;
  const options = ['build', '--quiet', '--release', '--locked', '--offline', '--target', target, '--package', name];
  execFileSync('/usr/bin/cargo', options, {
    cwd: functions,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...environment,
      RUSTC: '/usr/bin/rustc',
      RUSTC_WRAPPER: '',
      PATH: `/usr/bin:${environment.PATH}`,
      CARGO_ENCODED_RUSTFLAGS: `--remap-path-prefix=${resolve(functions)}=/functions`,
    },
  });
  return read(join(functions, 'target', target, 'release', file));
}

async function read(path) {
  return new Uint8Array(await readFile(path));
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The files below a path that a component is made from: not what was made of them, nor how it is deployed. */
async function filesOf(path) {
  if (!(await stat(path)).isDirectory()) return [path];
  const names = await readdir(path, { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile() && /\.(rs|toml)$/.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** SHA-256 over the names and digests of all that a component is made from, the tools' versions among it. */
export async function sourceDigest({ sources }) {
  const lists = await Promise.all([...sources, 'package.json'].map((source) => filesOf(join(here, source))));
  const lines = await Promise.all(
    lists
      .flat()
      .sort()
      .map(async (path) => `${relative(here, path)} ${sha256(await readFile(path))}\n`),
  );
  return sha256(lines.join(''));
}

async function build() {
  await mkdir(join(here, 'adapter'), { recursive: true });
  await cp(join(ADAPTERS, ADAPTER), join(here, 'adapter', ADAPTER));
  const digests = {};
  for (const [name, component] of Object.entries(COMPONENTS)) {
    const bytes = await MAKERS[component.language](name, component);
    await writeFile(join(here, name, `${name}.wasm`), bytes);
    digests[name] = { wasmSha256: sha256(bytes), sourceSha256: await sourceDigest(component) };
  }
  await writeFile(join(here, 'digests.json'), `${JSON.stringify(digests, undefined, 2)}\n`);
}

/** What is wrong with a committed component; undefined when nothing is. */
async function findFault(name, component, recorded) {
  if (recorded === undefined) return 'it has no digests';
  if ((await sourceDigest(component)) !== recorded.sourceSha256) return 'the source changed, its digest did not';
  if (sha256(await read(join(here, name, `${name}.wasm`))) !== recorded.wasmSha256) {
    return 'the committed component is not the recorded one';
  }
  if (component.language === 'javascript') return undefined;
  const built = sha256(await MAKERS[component.language](name, component));
  return built === recorded.wasmSha256 ? undefined : 'a build from source gives another component';
}

async function check() {
  const digests = JSON.parse(await readFile(join(here, 'digests.json'), 'utf8'));
  for (const [name, component] of Object.entries(COMPONENTS)) {
    const fault = await findFault(name, component, digests[name]);
    if (fault === undefined) continue;
    process.stderr.write(
      `functions/components/${name}: ${fault}; run npm run functions:build and commit what it writes\n`,
    );
    process.exitCode = 1;
  }
}

await (process.argv.includes('--check') ? check() : build());
