/**
 * What preview2-shim 0.26.1 was seen to do, beside what this host does: each case runs on both, and the first half fails
 * once the shim is mended. The cases it mended itself are in descriptor-escape.test.ts, http/outgoing.test.ts and component-vm.test.ts.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { resolveCapabilities } from '../../../../host/capabilities/capabilities.ts';
import { GuestStop } from '../../../../host/component/world/guest-stop.ts';
import type { Imports } from '../../../../host/component/world/interfaces.ts';
import type { Descriptor } from '../../../../host/component/world/descriptor.ts';
import { Host } from '../../../../host/component/world/host.ts';
import type { OutputStream } from '../../../../host/component/world/io.ts';
import { createImports } from '../../../../host/component/vm/imports.ts';
import { closeAll, mountAll } from '../../../../host/filesystem/mounts.ts';
import { resolveLimits } from '../../../../host/limits.ts';
import { requirePart } from '../../../require.ts';
import { skip as skipMachine } from '../../filesystem/machine-fixture.ts';

const PACKAGE = '@bytecodealliance/preview2-shim';
/** It comes with jco-transpile, and the lock names its version. */
const skipShim = requirePart('jco-transpile', isThere(), 'it is not installed, and preview2-shim comes with it');

function isThere(): boolean {
  try {
    return import.meta.resolve(`${PACKAGE}/instantiation`) !== '';
  } catch {
    return false;
  }
}

const root = join(import.meta.dirname, '..', '..', '..', '..', '..');
const scratch = mkdtempSync(join(tmpdir(), 'nebula-shim-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let made = 0;

interface Ran {
  readonly stdout: string;
  readonly status: number | null;
}

/** Runs a program in which `shimOf(sandbox)` makes the shim's imports: a process of its own, for it starts threads and ends it. */
function onShim(program: string): Ran {
  const source = `import * as fs from 'node:fs';
    const tasks = () => fs.readdirSync('/proc/self/task').length;
    const tasksBefore = tasks();
    const { WASIShim } = await import('${PACKAGE}/instantiation');
    const shimOf = (sandbox) => new WASIShim({ sandbox }).getImportObject();
    ${program}`;
  const options = { cwd: root, encoding: 'utf8', timeout: 120_000 } as const;
  return spawnSync(process.execPath, ['--input-type=module', '--eval', source], options);
}

interface Jail {
  readonly jail: string;
  readonly outside: string;
}

function makeJail(): Jail {
  const base = join(scratch, String((made += 1)));
  const [jail, outside] = [join(base, 'jail'), join(base, 'outside')];
  mkdirSync(join(jail, 'sub'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  return { jail, outside };
}

interface World {
  readonly host: Host;
  readonly imports: Imports;
  readonly close: () => void;
}

function ours(environment: Readonly<Record<string, string>> = {}, jail?: string): World {
  const limits = resolveLimits();
  const mounts = jail === undefined ? [] : [{ guest: '/', machine: jail, access: 'read-write' } as const];
  const capabilities = resolveCapabilities({ mounts });
  const mounted = mountAll(capabilities.mounts, limits);
  const host = new Host({ programName: 'test', limits, capabilities }, mounted);
  host.begin({ input: new Uint8Array(), arguments: [], environment });
  const close = (): void => {
    host.end();
    closeAll(mounted);
  };
  return {
    host,
    imports: createImports(host, [
      'wasi:cli',
      'wasi:filesystem',
      'wasi:io',
      'wasi:clocks',
      'wasi:random',
      'wasi:http',
      'wasi:sockets',
    ]),
    close,
  };
}

test('a directory replaced by a symlink: the shim reads, lists and writes outside of the jail, this host does not', {
  skip: skipMachine || skipShim,
}, () => {
  const left = makeJail();
  const { stdout } = onShim(`
    const jail = ${JSON.stringify(left.jail)};
    const [[root]] = shimOf({ preopens: { '/': jail } })['wasi:filesystem/preopens'].getDirectories();
    const sub = root.openAt({}, 'sub', { directory: true }, { read: true });
    fs.renameSync(jail + '/sub', jail + '/was-sub');
    fs.symlinkSync('../outside', jail + '/sub');
    const read = sub.openAt({}, 'secret', {}, { read: true }).read(64n, 0n)[0];
    sub.openAt({}, 'planted', { create: true }, { write: true }).write(new Uint8Array([120]), 0n);
    fs.writeSync(1, Buffer.from(read).toString());
    process.exit(0);`);
  assert.equal(stdout, 'secret');
  assert.deepEqual(readdirSync(left.outside), ['planted', 'secret']);

  const { jail, outside } = makeJail();
  const { imports, close } = ours({}, jail);
  const preopens = imports['wasi:filesystem/preopens'] as { getDirectories: () => [Descriptor, string][] };
  const [[directory]] = preopens.getDirectories() as [[Descriptor, string]];
  const sub = directory.openAt({}, 'sub', { directory: true }, { read: true });
  renameSync(join(jail, 'sub'), join(jail, 'was-sub'));
  symlinkSync('../outside', join(jail, 'sub'));
  assert.throws(() => sub.openAt({}, 'secret', {}, { read: true }), { payload: 'no-entry' });
  sub.openAt({}, 'planted', { create: true }, { write: true }).write(new Uint8Array([120]), 0n);
  assert.equal(sub.readDirectory().readDirectoryEntry()?.name, 'planted');
  assert.deepEqual(readdirSync(outside), ['secret']);
  assert.equal(readFileSync(join(jail, 'was-sub', 'planted'), 'utf8'), 'x');
  close();
});

test('wasi:cli/exit: the shim ends the process, this host the guest', { skip: skipShim }, () => {
  const ran = onShim(`
    shimOf({})['wasi:cli/exit'].exit({ tag: 'err' });
    fs.writeSync(1, 'went on');`);
  assert.deepEqual([ran.stdout, ran.status], ['', 1]);

  const { host, imports, close } = ours();
  const { exit } = imports['wasi:cli/exit'] as { exit: (status: object) => void };
  assert.throws(() => exit({ tag: 'err' }), GuestStop);
  assert.deepEqual(host.ending, { kind: 'exit', exitCode: 1 });
  close();
});

test('standard output: the shim has one for all of a process, this host one for each instance', {
  skip: skipShim,
}, () => {
  const { stdout } = onShim(`
    const [left, right] = [shimOf({ env: { A: '1' } }), shimOf({ env: { B: '2' } })];
    for (const [at, shim] of [left, right].entries()) {
      shim['wasi:cli/stdout'].getStdout().blockingWriteAndFlush(Buffer.from('of ' + at + ';'));
    }
    process.exit(0);`);
  assert.equal(stdout, 'of 0;of 1;');

  const worlds = [ours({ A: '1' }), ours({ B: '2' })];
  for (const [at, { imports }] of worlds.entries()) {
    const { getStdout } = imports['wasi:cli/stdout'] as { getStdout: () => OutputStream };
    getStdout().blockingWriteAndFlush(Buffer.from(`of ${at}`));
  }
  const written = worlds.map(({ host }) => Buffer.from(host.stdout.take()).toString());
  assert.deepEqual(written, ['of 0', 'of 1']);
  const variables = worlds.map(({ imports }) =>
    (imports['wasi:cli/environment'] as { getEnvironment: () => unknown }).getEnvironment(),
  );
  assert.deepEqual(variables, [[['A', '1']], [['B', '2']]]);
  for (const { close } of worlds) close();
});

const tasks = (): number => readdirSync('/proc/self/task').length;

test('threads: the shim starts one wherever it is loaded, this host none', { skip: skipMachine || skipShim }, () => {
  const { stdout } = onShim(`
    fs.writeSync(1, String(tasks() - tasksBefore));
    process.exit(0);`);
  assert.ok(Number(stdout) >= 1, stdout);

  const before = tasks();
  const { imports, close } = ours();
  (imports['wasi:cli/stdout'] as { getStdout: () => OutputStream }).getStdout().blockingWriteAndFlush(new Uint8Array());
  assert.equal(tasks(), before);
  close();
});
