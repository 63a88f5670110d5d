import assert from 'node:assert/strict';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryDirectory } from '../tiny-module.ts';
import { builtFunction, startNebula } from './command.ts';

interface Dev {
  readonly child: ChildProcessWithoutNullStreams;
  readonly folder: string;
  readonly url: string;
  /** What it has shown so far. */
  readonly shown: () => string;
  /** How often the compiler was started for a build. */
  readonly builds: () => number;
  /** Waits until it has shown that, behind what it had shown before. */
  readonly shows: (text: RegExp) => Promise<void>;
}

/** A compiler that makes the module which the source names, and refuses a source that says `broken`. */
const COMPILER = `#!/bin/sh
case "$*" in *print-file-name*) echo /lib/crt1.o; exit;; esac
echo >> "$(dirname "$0")/builds"
while [ "$1" != -o ]; do shift; done
module=$2
for source; do :; done
grep -q broken "$source" && { echo "$source:1: it is broken" >&2; exit 1; }
cp "$(cat "$source")" "$module"
`;

/** A function as a folder with a module and a manifest, and no sources. */
function place(folder: string, name: string, manifest: object = {}): void {
  mkdirSync(folder);
  const base = name.replace(/.*\//, '');
  cpSync(modulePath(name), join(folder, `${base}.wasm`));
  writeFileSync(join(folder, 'nebula.json'), JSON.stringify({ name: base, ...manifest }));
}

const modulePath = (name: string): string => builtFunction(`${name}/${name.replace(/.*\//, '')}.wasm`);

async function startDev(
  context: TestContext,
  prepare: (folder: string) => void,
  given: readonly string[] = [],
): Promise<Dev> {
  const root = temporaryDirectory(context);
  const folder = join(root, 'work');
  mkdirSync(folder);
  writeFileSync(join(root, 'clang'), COMPILER);
  chmodSync(join(root, 'clang'), 0o755);
  prepare(folder);
  const environment = { PATH: `${root}:${process.env['PATH']}` };
  const child = startNebula(['dev', '--port', '0', '--threads', '1', ...given], { directory: folder, environment });
  context.after(() => child.kill('SIGKILL'));
  let text = '';
  let seen = 0;
  child.stdout.setEncoding('utf8').on('data', (more: string) => (text += more));
  const shows = async (expected: RegExp): Promise<void> => {
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(20)) {
      const found = expected.exec(text.slice(seen));
      if (found === null) continue;
      seen += found.index + found[0].length;
      return;
    }
    assert.fail(
      `${expected} was not shown behind ${JSON.stringify(text.slice(0, seen))}, but ${JSON.stringify(text.slice(seen))}`,
    );
  };
  await shows(/^Serving on http:\S+; Ctrl-C ends it\n/);
  const url = /http:\/\/[^;]+/.exec(text)?.[0] ?? '';
  const builds = (): number => {
    const path = join(root, 'builds');
    return existsSync(path) ? readFileSync(path, 'utf8').length : 0;
  };
  return { child, folder, url, shown: () => text, builds, shows };
}

async function answerOf(url: string, name: string, input = ''): Promise<string> {
  const answer = await fetch(`${url}/invoke/${name}`, { method: 'POST', body: input });
  return `${answer.status} ${(await answer.text()).trimEnd()}`;
}

test('nebula dev builds and serves a folder of sources, and keeps the version that served while a build fails', async (context) => {
  const { folder, url, shows } = await startDev(context, (work) =>
    writeFileSync(join(work, 'f.c'), modulePath('factorial')),
  );
  await shows(/work: version 1 is deployed after [\d.]+ s: curl --data '' http:\S+\/invoke\/work\n/);
  assert.equal(await answerOf(url, 'work', '5'), '200 120');
  writeFileSync(join(folder, 'f.c'), 'broken');
  await shows(/work: Cannot build ".*" with clang: .*f\.c:1: it is broken\n/);
  assert.equal(await answerOf(url, 'work', '5'), '200 120');
  writeFileSync(join(folder, 'f.c'), modulePath('fibonacci'));
  await shows(/work: version 2 is deployed/);
  assert.equal(await answerOf(url, 'work', '10'), '200 55');
});

test('nebula dev takes functions that come later, with sources or with a module, and sees new files in new folders', async (context) => {
  const { folder, url, shows } = await startDev(context, (work) => place(join(work, 'parrot'), 'echo'));
  await shows(/echo: version 1 is deployed.*\/invoke\/echo\n/);
  mkdirSync(join(folder, 'late'));
  await sleep(300);
  writeFileSync(join(folder, 'late', 'f.c'), modulePath('factorial'));
  await shows(/late: version 1 is deployed/);
  mkdirSync(join(folder, 'late', 'deep', 'deeper'), { recursive: true });
  await shows(/late: version 2 is deployed/);
  writeFileSync(join(folder, 'late', 'deep', 'deeper', 'header.h'), '');
  await shows(/late: version 3 is deployed/);
  place(join(folder, 'other'), 'fibonacci');
  await shows(/fibonacci: version 1 is deployed/);
  assert.equal(await answerOf(url, 'fibonacci', '10'), '200 55');
  // A name that another folder has does not take its place.
  place(join(folder, 'second'), 'fibonacci');
  await shows(/second: "fibonacci" is the function in .*other already\n/);
  rmSync(join(folder, 'second'), { recursive: true });
});

test('nebula dev takes what it builds for no change, whatever the module is named and wherever it is below the folder', async (context) => {
  for (const module of ['built', 'out/built.wasm', undefined]) {
    const { child, folder, builds, shows } = await startDev(context, (work) => {
      mkdirSync(join(work, 'out'));
      writeFileSync(join(work, 'nebula.json'), JSON.stringify({ name: 'work', module }));
      writeFileSync(join(work, 'f.c'), modulePath('factorial'));
    });
    await shows(/work: version 1 is deployed/);
    await sleep(500);
    assert.equal(builds(), 1, module);
    writeFileSync(join(folder, 'f.c'), modulePath('fibonacci'));
    await shows(/work: version 2 is deployed/);
    await sleep(500);
    assert.equal(builds(), 2, module);
    child.kill('SIGKILL');
  }
});

test('nebula dev builds once where sources come to a manifest with its module, and takes a module for a change when they have gone', async (context) => {
  const { folder, url, builds, shows } = await startDev(context, (work) => place(join(work, 'echo'), 'echo'));
  await shows(/echo: version 1 is deployed/);
  const source = join(folder, 'echo', 'f.c');
  writeFileSync(source, modulePath('factorial'));
  await shows(/echo: version 2 is deployed/);
  await sleep(500);
  assert.equal(builds(), 1);
  assert.equal(await answerOf(url, 'echo', '5'), '200 120');
  rmSync(source);
  await shows(/echo: version 3 is deployed/);
  cpSync(modulePath('fibonacci'), join(folder, 'echo', 'echo.wasm'));
  await shows(/echo: version 4 is deployed/);
  assert.equal(await answerOf(url, 'echo', '10'), '200 55');
});

test('nebula dev deploys a folder that was renamed, and one whose name another folder had before it', async (context) => {
  const { folder, url, shown, shows } = await startDev(context, (work) => place(join(work, 'first'), 'factorial'));
  await shows(/factorial: version 1 is deployed/);
  renameSync(join(folder, 'first'), join(folder, 'second'));
  await shows(/factorial: version 2 is deployed/);
  renameSync(join(folder, 'second'), join(folder, 'first'));
  await shows(/factorial: version 3 is deployed/);
  writeFileSync(join(folder, 'first', 'nebula.json'), JSON.stringify({ name: 'other', module: 'factorial.wasm' }));
  await shows(/other: version 1 is deployed/);
  place(join(folder, 'second'), 'factorial');
  await shows(/factorial: version 4 is deployed/);
  place(join(folder, 'third'), 'factorial');
  await shows(/third: "factorial" is the function in .*second already\n/);
  assert.equal(await answerOf(url, 'factorial', '5'), '200 120');
  assert.doesNotMatch(shown(), /in .*first already/);
});

test('nebula dev shows what guests write and how they end', async (context) => {
  const { url, shows } = await startDev(context, (work) => {
    place(join(work, 'exit-3'), 'guests/exit-3');
    place(join(work, 'factorial'), 'factorial');
  });
  await shows(/factorial: version 1 is deployed/);
  await answerOf(url, 'exit-3');
  await shows(/exit-3: The guest ended with exit code 3\n/);
  await answerOf(url, 'factorial', 'no number');
  await shows(/factorial \| .+\nfactorial: The guest ended with exit code \d+\n/);
});

test('nebula dev ends at once with SIGINT, whatever runs', async (context) => {
  const { child, url, shows } = await startDev(context, (work) => {
    place(join(work, 'forever'), 'guests/forever', { limits: { timeoutMs: 0 } });
  });
  await shows(/forever: version 1 is deployed/);
  const asked = answerOf(url, 'forever').catch(() => 'cut');
  await sleep(200);
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0);
  await asked;
});

test('nebula dev says which folder it cannot read', async (context) => {
  const root = temporaryDirectory(context);
  const child = startNebula(['dev', '--port', '0', join(root, 'no')]);
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint += text));
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 3);
  assert.match(complaint, /Cannot read ".*\/no"/);
});
