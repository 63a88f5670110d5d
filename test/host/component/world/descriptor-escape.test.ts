/** No call of wasi:filesystem leaves its mount, whatever the path and whoever swaps what is behind it. */

import assert from 'node:assert/strict';
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
import { GuestStop, WasiError } from '../../../../host/component/world/guest-stop.ts';
import type { Descriptor } from '../../../../host/component/world/descriptor.ts';
import { createFilesystem } from '../../../../host/component/world/filesystem.ts';
import { Host } from '../../../../host/component/world/host.ts';
import { closeAll, mountAll } from '../../../../host/filesystem/mounts.ts';
import { resolveLimits } from '../../../../host/limits.ts';

const scratch = mkdtempSync(join(tmpdir(), 'nebula-component-escape-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

interface Fixture {
  readonly root: Descriptor;
  readonly host: Host;
  readonly jail: string;
  readonly outside: string;
  readonly close: () => void;
}

let made = 0;

function open(access: 'read-only' | 'read-write' = 'read-write', denial: 'errno' | 'end' = 'errno'): Fixture {
  const base = join(scratch, String((made += 1)));
  const [jail, outside] = [join(base, 'jail'), join(base, 'outside')];
  mkdirSync(join(jail, 'sub'), { recursive: true });
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret'), 'secret');
  writeFileSync(join(jail, 'file'), 'inside');
  const limits = resolveLimits();
  const capabilities = resolveCapabilities({ mounts: [{ guest: '/', machine: jail, access }], denial });
  const mounts = mountAll(capabilities.mounts, limits);
  const host = new Host({ programName: 'test', limits, capabilities }, mounts);
  const preopens = createFilesystem(host)['wasi:filesystem/preopens'] as {
    getDirectories: () => [Descriptor, string][];
  };
  const [[root]] = preopens.getDirectories() as [[Descriptor, string]];
  const close = (): void => {
    host.end();
    closeAll(mounts);
  };
  return { root, host, jail, outside, close };
}

const FOLLOW = { symlinkFollow: true };
const NOW = { tag: 'now' } as const;

/** Every call that takes a path, handed one path. */
const CALLS: Readonly<Record<string, (root: Descriptor, path: string) => unknown>> = {
  openAt: (root, path) => root.openAt(FOLLOW, path, {}, { read: true }),
  'openAt to create': (root, path) => root.openAt(FOLLOW, `${path}-new`, { create: true }, { write: true }),
  'openAt to truncate': (root, path) => root.openAt(FOLLOW, path, { truncate: true }, { write: true }),
  statAt: (root, path) => root.statAt(FOLLOW, path),
  setTimesAt: (root, path) => root.setTimesAt(FOLLOW, path, NOW, NOW),
  createDirectoryAt: (root, path) => root.createDirectoryAt(`${path}-new`),
  removeDirectoryAt: (root, path) => root.removeDirectoryAt(path),
  unlinkFileAt: (root, path) => root.unlinkFileAt(path),
  'linkAt from': (root, path) => root.linkAt({}, path, root, 'linked'),
  'linkAt to': (root, path) => root.linkAt({}, 'file', root, `${path}-new`),
  'renameAt from': (root, path) => root.renameAt(path, root, 'renamed'),
  'renameAt to': (root, path) => root.renameAt('file', root, `${path}-new`),
  'symlinkAt at': (root, path) => root.symlinkAt('file', `${path}-new`),
  readlinkAt: (root, path) => root.readlinkAt(path),
  metadataHashAt: (root, path) => root.metadataHashAt(FOLLOW, path),
};

/** Whether nothing outside was read, made, changed or removed. */
function assertUntouched(outside: string): void {
  assert.deepEqual(readdirSync(outside), ['secret']);
  assert.equal(readFileSync(join(outside, 'secret'), 'utf8'), 'secret');
}

for (const [name, run] of Object.entries(CALLS)) {
  for (const [how, path] of [
    ['..', '../outside/secret'],
    ['.. after a name', 'sub/../../outside/secret'],
    ['an absolute path', '/etc/passwd'],
    ['a symlink to outside', 'lnk/secret'],
    ['a directory swapped for a symlink', 'sub/secret'],
  ] as const) {
    test(`Descriptor.${name}() does not leave its mount by ${how}`, () => {
      const { root, jail, outside, close } = open();
      try {
        symlinkSync('../outside', join(jail, 'lnk'));
        if (how.startsWith('a directory')) {
          renameSync(join(jail, 'sub'), join(jail, 'was-sub'));
          symlinkSync('../outside', join(jail, 'sub'));
        }
        assert.throws(() => run(root, path), WasiError);
        assertUntouched(outside);
      } finally {
        close();
      }
    });
  }
}

test('Descriptor.symlinkAt() makes no link that a later call follows out', () => {
  const { root, outside, close } = open();
  try {
    root.symlinkAt('../outside', 'lnk');
    assert.throws(() => root.openAt(FOLLOW, 'lnk/secret', {}, { read: true }), { payload: 'not-permitted' });
    assert.throws(() => root.openAt(FOLLOW, 'lnk', { directory: true }, { read: true }), WasiError);
    assert.throws(() => root.symlinkAt('/etc', 'absolute'), { payload: 'not-permitted' });
    assertUntouched(outside);
  } finally {
    close();
  }
});

test('Descriptor keeps to the directory it was opened on when a symlink takes its place', () => {
  const { root, jail, outside, close } = open();
  try {
    const sub = root.openAt({}, 'sub', { directory: true }, { read: true });
    renameSync(join(jail, 'sub'), join(jail, 'was-sub'));
    symlinkSync('../outside', join(jail, 'sub'));
    assert.throws(() => sub.openAt(FOLLOW, 'secret', {}, { read: true }), { payload: 'no-entry' });
    sub.openAt({}, 'made', { create: true }, { write: true }).write(Buffer.from('x'), 0n);
    assert.equal(sub.readDirectory().readDirectoryEntry()?.name, 'made');
    assertUntouched(outside);
  } finally {
    close();
  }
});

test('Descriptor changes nothing of a read-only mount, whichever call asks', () => {
  const { root, jail, close } = open('read-only');
  try {
    const changes: Readonly<Record<string, () => unknown>> = {
      create: () => root.openAt({}, 'new', { create: true }, { write: true }),
      write: () => root.openAt({}, 'file', {}, { write: true }),
      truncate: () => root.openAt({}, 'file', { truncate: true }, { write: true }),
      createDirectoryAt: () => root.createDirectoryAt('new'),
      removeDirectoryAt: () => root.removeDirectoryAt('sub'),
      unlinkFileAt: () => root.unlinkFileAt('file'),
      renameAt: () => root.renameAt('file', root, 'new'),
      linkAt: () => root.linkAt({}, 'file', root, 'new'),
      symlinkAt: () => root.symlinkAt('file', 'new'),
      setTimesAt: () => root.setTimesAt({}, 'file', NOW, NOW),
    };
    for (const [name, change] of Object.entries(changes)) {
      assert.throws(change, { payload: 'read-only' }, name);
    }
    assert.deepEqual(readdirSync(jail).sort(), ['file', 'sub']);
    assert.equal(readFileSync(join(jail, 'file'), 'utf8'), 'inside');
  } finally {
    close();
  }
});

test('Descriptor ends the guest for an escape where the manifest asks for that', () => {
  const { root, host, close } = open('read-write', 'end');
  try {
    assert.throws(() => root.statAt(FOLLOW, '../outside/secret'), GuestStop);
    assert.deepEqual(host.ending, { kind: 'denied', capability: 'filesystem' });
    assert.throws(() => root.stat(), GuestStop, 'it gets no further');
  } finally {
    close();
  }
});

test('Descriptor.openAt() answers quota when the guest holds as many files as it may, and room comes back', () => {
  const { root, host, close } = open();
  try {
    const held: Descriptor[] = [];
    assert.throws(
      () => {
        for (;;) held.push(root.openAt({}, 'file', {}, { read: true }));
      },
      { payload: 'quota' },
    );
    // Three standard streams and the mount's root count.
    assert.equal(held.length, host.options.limits.openFiles - 4);
    held[0]?.drop();
    assert.equal(Buffer.from(root.openAt({}, 'file', {}, { read: true }).read(10n, 0n)[0]).toString(), 'inside');
  } finally {
    close();
  }
});
