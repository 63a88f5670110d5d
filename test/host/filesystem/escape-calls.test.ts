/**
 * Each call of wasi:filesystem, and its twin of preview 1, tries to leave its mount: by its path, by a symlink, by a
 * directory that is swapped for a symlink under it. On machine directories and on trees in memory.
 */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { resolveCapabilities } from '../../../host/capabilities/capabilities.ts';
import type { Mount } from '../../../host/capabilities/mounts/schema.ts';
import { WasiError } from '../../../host/component/world/guest-stop.ts';
import type { Descriptor } from '../../../host/component/world/descriptor.ts';
import { createFilesystem } from '../../../host/component/world/filesystem.ts';
import { Host } from '../../../host/component/world/host.ts';
import { closeAll, mountAll } from '../../../host/filesystem/mounts.ts';
import { resolveLimits } from '../../../host/limits.ts';
import { Guest, RIGHTS_ALL, ROOT } from '../preview1/guest.ts';
import { skip } from './machine-fixture.ts';
import { describeGuest, describeTree } from './tree-text.ts';

const scratch = mkdtempSync(join(tmpdir(), 'nebula-escape-calls-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let made = 0;

const PLACES = ['machine', 'memory'] as const;
type Place = (typeof PLACES)[number];

/** fd of the second mount. */
const OTHER = ROOT + 1;
const FOLLOW = { symlinkFollow: true };
const NOW = { tag: 'now' } as const;
const BYTES = Buffer.from('written');

/** `/data` holds `file` and `sub/secret`; `/other` is a mount of its own; what a path leads out to is in `outside`. */
interface Fixture {
  readonly root: Descriptor;
  readonly other: Descriptor;
  readonly core: Guest;
  /** Puts a symlink to what is outside in the place of `sub`. */
  readonly swap: () => void;
  /** All there is on the machine, with contents and times: outside of the mounts alone, or all of it. */
  readonly outside: () => string;
  readonly everything: () => string;
  /** What preopens tells. */
  readonly preopens: readonly string[];
}

function withFixture(place: Place, access: 'read-only' | 'read-write', act: (fixture: Fixture) => void): void {
  const base = join(scratch, String((made += 1)));
  const [jail, outside, otherFolder] = ['jail', 'outside', 'other'].map((name) => join(base, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [join(jail, 'sub'), outside, otherFolder]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(jail, 'file'), 'inside');
  writeFileSync(join(jail, 'sub', 'secret'), 'inside');
  writeFileSync(join(outside, 'secret'), 'outside');
  symlinkSync('../outside', join(jail, 'lnk'));
  const given: readonly Mount[] =
    place === 'machine'
      ? [
          { guest: '/data', machine: jail, access },
          { guest: '/other', machine: otherFolder, access: 'read-write' },
        ]
      : [
          { guest: '/data', files: { file: 'inside', 'sub/secret': 'inside' }, access },
          { guest: '/other', files: { 'there/': '' }, access: 'read-write' },
        ];
  const limits = resolveLimits();
  const capabilities = resolveCapabilities({ mounts: given });
  const mounts = mountAll(capabilities.mounts, limits);
  const host = new Host({ programName: 'test', limits, capabilities }, mounts);
  const { getDirectories } = createFilesystem(host)['wasi:filesystem/preopens'] as {
    getDirectories: () => [Descriptor, string][];
  };
  const directories = getDirectories() as [[Descriptor, string], [Descriptor, string]];
  const [[root], [other]] = directories;
  const core = new Guest({ mounts });
  // A tree in memory is new for each guest.
  if (place === 'memory' && access === 'read-write') {
    root.symlinkAt('../other', 'lnk');
    assert.equal(core.symlink('../other', 'lnk'), 'success');
  }
  const swap = (): void => {
    if (place === 'machine') {
      renameSync(join(jail, 'sub'), join(jail, 'was-sub'));
      symlinkSync('../outside', join(jail, 'sub'));
    } else {
      root.renameAt('sub', root, 'was-sub');
      root.symlinkAt('../other', 'sub');
      assert.deepEqual([core.rename('sub', 'was-sub'), core.symlink('../other', 'sub')], ['success', 'success']);
    }
  };
  try {
    act({
      root,
      other,
      core,
      swap,
      outside: () => `${describeTree(outside)}\n${describeGuest(other)}`,
      everything: () => `${describeTree(base)}\n${describeGuest(root)}\n${describeGuest(other)}`,
      preopens: directories.map(([, name]) => name),
    });
  } finally {
    host.end();
    closeAll(mounts);
  }
}

type Calls = readonly [
  component: (root: Descriptor, path: string) => unknown,
  core: (guest: Guest, path: string) => string,
];

const named = (opened: number | string): string => (typeof opened === 'number' ? 'success' : opened);

/** Every call that takes a path. */
const PATH_CALLS: Readonly<Record<string, Calls>> = {
  'open-at': [(root, path) => root.openAt(FOLLOW, path, {}, { read: true }), (guest, path) => named(guest.open(path))],
  'open-at to create': [
    (root, path) => root.openAt(FOLLOW, `${path}-new`, { create: true }, { write: true }),
    (guest, path) => named(guest.open(`${path}-new`, { oflags: 1, write: true })),
  ],
  'open-at to truncate': [
    (root, path) => root.openAt(FOLLOW, path, { truncate: true }, { write: true }),
    (guest, path) => named(guest.open(path, { oflags: 8, write: true })),
  ],
  'create-directory-at': [
    (root, path) => root.createDirectoryAt(`${path}-new`),
    (guest, path) => guest.path('path_create_directory', `${path}-new`),
  ],
  'stat-at': [(root, path) => root.statAt(FOLLOW, path), (guest, path) => statName(guest.stat(path, 1))],
  'set-times-at': [
    (root, path) => root.setTimesAt(FOLLOW, path, NOW, NOW),
    (guest, path) => guest.call('path_filestat_set_times', ROOT, 1, ...guest.put(path), 0n, 0n, 0b1010),
  ],
  'link-at from': [(root, path) => root.linkAt({}, path, root, 'linked'), (guest, path) => guest.link(path, 'linked')],
  'link-at to': [
    (root, path) => root.linkAt({}, 'file', root, `${path}-new`),
    (guest, path) => guest.link('file', `${path}-new`),
  ],
  'readlink-at': [
    (root, path) => root.readlinkAt(path),
    (guest, path) => guest.call('path_readlink', ROOT, ...guest.put(path), guest.room(64), 64, guest.room(4)),
  ],
  'remove-directory-at': [
    (root, path) => root.removeDirectoryAt(path),
    (guest, path) => guest.path('path_remove_directory', path),
  ],
  'rename-at from': [
    (root, path) => root.renameAt(path, root, 'renamed'),
    (guest, path) => guest.rename(path, 'renamed'),
  ],
  'rename-at to': [
    (root, path) => root.renameAt('file', root, `${path}-new`),
    (guest, path) => guest.rename('file', `${path}-new`),
  ],
  'symlink-at': [
    (root, path) => root.symlinkAt('file', `${path}-new`),
    (guest, path) => guest.symlink('file', `${path}-new`),
  ],
  'unlink-file-at': [(root, path) => root.unlinkFileAt(path), (guest, path) => guest.path('path_unlink_file', path)],
  'metadata-hash-at': [
    (root, path) => root.metadataHashAt(FOLLOW, path),
    (guest, path) => statName(guest.stat(path, 1)),
  ],
};

function statName(found: unknown): string {
  return typeof found === 'string' ? found : 'success';
}

const WAYS: Readonly<Record<string, string>> = {
  '..': '../outside/secret',
  '.. after a name': 'sub/../../outside/secret',
  'an absolute path': '/etc/passwd',
  'a symlink': 'lnk/secret',
  'a directory swapped for a symlink': 'sub/secret',
};

for (const place of PLACES) {
  for (const [name, [component, core]] of Object.entries(PATH_CALLS)) {
    test(`${name} does not leave a ${place} mount by any path`, { skip: place === 'machine' && skip }, () => {
      for (const [way, path] of Object.entries(WAYS)) {
        withFixture(place, 'read-write', ({ root, core: guest, swap, outside }) => {
          if (way.startsWith('a directory')) swap();
          const before = outside();
          assert.throws(() => component(root, path), WasiError, `component, ${way}`);
          assert.notEqual(core(guest, path), 'success', `core module, ${way}`);
          assert.equal(outside(), before, way);
        });
      }
    });
  }
}

interface Held {
  readonly root: Descriptor;
  readonly file: Descriptor;
  readonly sub: Descriptor;
  readonly guest: Guest;
  readonly fd: number;
  readonly subFd: number;
}

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

function firstNames(guest: Guest, fd: number): string[] {
  const [buffer, used] = [guest.room(4096), guest.room(4)];
  assert.equal(guest.call('fd_readdir', fd, buffer, 4096, 0n, used), 'success');
  const names: string[] = [];
  for (let at = buffer; at < buffer + guest.u32(used); at += 24 + guest.u32(at + 16)) {
    names.push(guest.text(at + 24, guest.u32(at + 16)));
  }
  return names;
}

function pread(guest: Guest, fd: number): string {
  const { iovs, rooms } = guest.iovecs(64);
  const count = guest.room(4);
  assert.equal(guest.call('fd_pread', fd, iovs, 1, 0n, count), 'success');
  return guest.text(rooms[0] as number, guest.u32(count));
}

function pwrite(guest: Guest, fd: number): void {
  const [pointer, length] = guest.put(BYTES);
  const iovs = guest.room(8);
  guest.view.setUint32(iovs, pointer, true);
  guest.view.setUint32(iovs + 4, length, true);
  assert.equal(guest.call('fd_pwrite', fd, iovs, 1, 0n, guest.room(4)), 'success');
}

const does = (guest: Guest, name: string, ...parameters: (number | bigint)[]): void =>
  assert.equal(guest.call(name, ...parameters), 'success', name);

/** Every call on what is open already, its directory swapped for a symlink since: it is of what was opened. */
const HELD_CALLS: Readonly<Record<string, (held: Held) => void>> = {
  'read-via-stream': ({ file, guest, fd }) => {
    assert.equal(text(file.readViaStream(0n).blockingRead(64n)), 'inside');
    assert.equal(guest.read(fd, 64), 'inside');
  },
  'write-via-stream': ({ file, guest, fd }) => {
    file.writeViaStream(0n).blockingWriteAndFlush(BYTES);
    assert.equal(guest.write(fd, 'w'), 'success');
  },
  'append-via-stream': ({ file, guest, fd }) => {
    file.appendViaStream().blockingWriteAndFlush(BYTES);
    does(guest, 'fd_fdstat_set_flags', fd, 1);
    assert.equal(guest.write(fd, 'w'), 'success');
    assert.ok(file.stat().size >= BigInt('inside'.length + BYTES.length));
    assert.ok((guest.fdStat(fd) as { size: bigint }).size >= BigInt('inside'.length + 1));
  },
  advise: ({ file, guest, fd }) => {
    file.advise(0n, 6n, 'will-need');
    does(guest, 'fd_advise', fd, 0n, 6n, 3);
  },
  'sync-data': ({ file, guest, fd }) => {
    file.syncData();
    does(guest, 'fd_datasync', fd);
  },
  sync: ({ file, guest, fd }) => {
    file.sync();
    does(guest, 'fd_sync', fd);
  },
  'get-flags': ({ file, guest, fd }) => {
    assert.deepEqual(
      [file.getFlags().read, file.getFlags().write, file.getFlags().mutateDirectory],
      [true, true, undefined],
    );
    does(guest, 'fd_fdstat_get', fd, guest.room(24));
  },
  'get-type': ({ file, sub, guest, subFd }) => {
    assert.deepEqual([file.getType(), sub.getType()], ['regular-file', 'directory']);
    assert.equal((guest.fdStat(subFd) as { filetype: number }).filetype, 3);
  },
  'set-size': ({ file, guest, fd }) => {
    file.setSize(3n);
    assert.equal(file.stat().size, 3n);
    does(guest, 'fd_filestat_set_size', fd, 2n);
    assert.equal((guest.fdStat(fd) as { size: bigint }).size, 2n);
  },
  'set-times': ({ file, guest, fd }) => {
    file.setTimes({ tag: 'timestamp', val: { seconds: 1n, nanoseconds: 2 } }, NOW);
    does(guest, 'fd_filestat_set_times', fd, 7n, 7n, 0b0101);
    assert.equal((guest.fdStat(fd) as { mtim: bigint }).mtim, 7n);
  },
  read: ({ file, guest, fd }) => {
    assert.equal(text(file.read(64n, 0n)[0]), 'inside');
    assert.equal(pread(guest, fd), 'inside');
  },
  write: ({ file, guest, fd }) => {
    assert.equal(file.write(BYTES, 0n), BigInt(BYTES.length));
    pwrite(guest, fd);
    assert.equal(pread(guest, fd), 'written');
  },
  'read-directory': ({ sub, guest, subFd }) => {
    sub.createDirectoryAt('made-here');
    const listed = describeGuest(sub);
    assert.match(listed, /^made-here .*\nsecret /);
    const names = firstNames(guest, subFd).filter((name) => name !== 'made-here');
    assert.deepEqual(names.sort(), ['.', '..', 'secret']);
  },
  stat: ({ file, guest, fd }) => {
    assert.equal(file.stat().size, 6n);
    assert.equal((guest.fdStat(fd) as { size: bigint }).size, 6n);
  },
  'is-same-object': ({ root, file, sub }) => {
    const again = root.openAt({}, 'was-sub/secret', {}, { read: true });
    assert.deepEqual([file.isSameObject(again), file.isSameObject(sub)], [true, false]);
  },
  'metadata-hash': ({ root, file }) => {
    assert.deepEqual(file.metadataHash(), root.metadataHashAt({}, 'was-sub/secret'));
  },
  'open-at below a held directory': ({ sub, guest, subFd }) => {
    assert.equal(text(sub.openAt(FOLLOW, 'secret', {}, { read: true }).read(64n, 0n)[0]), 'inside');
    assert.equal(guest.read(guest.mustOpen('secret', { fd: subFd }), 64), 'inside');
    for (const path of ['../lnk/secret', '../../outside/secret', '..']) {
      assert.throws(() => sub.openAt(FOLLOW, path, {}, { read: true }), WasiError, path);
      assert.notEqual(named(guest.open(path, { fd: subFd })), 'success', path);
    }
  },
};

for (const place of PLACES) {
  for (const [name, run] of Object.entries(HELD_CALLS)) {
    test(
      `${name} is of what was opened on a ${place} mount, whatever stands there now`,
      {
        skip: place === 'machine' && skip,
      },
      () =>
        withFixture(place, 'read-write', ({ root, core: guest, swap, outside }) => {
          const file = root.openAt({}, 'sub/secret', {}, { read: true, write: true });
          const sub = root.openAt({}, 'sub', { directory: true }, { read: true });
          const fd = guest.mustOpen('sub/secret', { write: true, rights: RIGHTS_ALL });
          const subFd = guest.mustOpen('sub', { oflags: 2 });
          swap();
          const before = outside();
          run({ root, file, sub, guest, fd, subFd });
          assert.equal(outside(), before);
        }),
    );
  }

  test(`no call changes a read-only ${place} mount`, { skip: place === 'machine' && skip }, () =>
    withFixture(place, 'read-only', ({ root, core: guest, everything }) => {
      const before = everything();
      const changes = Object.entries(PATH_CALLS).filter(
        ([name]) => !/^(open-at|stat-at|readlink-at|metadata-hash-at)$/.test(name),
      );
      for (const [name, [component, core]] of changes) {
        const path = name === 'remove-directory-at' ? 'sub' : 'file';
        // Of a directory that is not empty either may be told.
        assert.throws(() => component(root, path), { payload: /^(read-only|not-empty)$/ }, name);
        assert.notEqual(core(guest, path), 'success', name);
      }
      const file = root.openAt({}, 'file', {}, { read: true });
      assert.throws(() => file.write(BYTES, 0n), WasiError);
      assert.throws(() => file.writeViaStream(0n), WasiError);
      assert.throws(() => file.appendViaStream(), WasiError);
      assert.throws(() => file.setSize(0n), WasiError);
      assert.throws(() => file.setTimes(NOW, NOW), WasiError);
      const fd = guest.mustOpen('file');
      assert.notEqual(guest.write(fd, 'x'), 'success');
      assert.notEqual(guest.call('fd_filestat_set_size', fd, 0n), 'success');
      assert.notEqual(guest.call('fd_filestat_set_times', fd, 7n, 7n, 0b0101), 'success');
      assert.equal(everything(), before);
    }),
  );

  test(
    `rename-at and link-at carry nothing out of a read-only ${place} mount, and nothing into it`,
    {
      skip: place === 'machine' && skip,
    },
    () =>
      withFixture(place, 'read-only', ({ root, other, core: guest, everything }) => {
        other.openAt({}, 'mine', { create: true }, { write: true }).drop();
        guest.mustOpen('mine', { fd: OTHER, oflags: 1, write: true });
        const before = everything();
        const ways = [
          ['file', root, ROOT, other, OTHER],
          ['mine', other, OTHER, root, ROOT],
        ] as const;
        for (const [name, from, fromFd, to, toFd] of ways) {
          // A second name in a mount that can be written to would be a way to write to the file.
          assert.throws(() => from.linkAt({}, name, to, 'taken'), WasiError, name);
          assert.throws(() => from.renameAt(name, to, 'taken'), WasiError, name);
          const [path, taken] = [guest.put(name), guest.put('taken')];
          assert.notEqual(guest.call('path_link', fromFd, 0, ...path, toFd, ...taken), 'success', name);
          assert.notEqual(guest.call('path_rename', fromFd, ...path, toFd, ...taken), 'success', name);
        }
        assert.equal(everything(), before);
      }),
  );

  test(
    `preopens tells the guest's paths of ${place} mounts, and no others`,
    {
      skip: place === 'machine' && skip,
    },
    () =>
      withFixture(place, 'read-write', ({ preopens, core: guest }) => {
        assert.deepEqual(preopens, ['/data', '/other']);
        const [pointer, room] = [guest.room(16), 16];
        does(guest, 'fd_prestat_dir_name', OTHER, pointer, '/other'.length);
        assert.equal(guest.text(pointer, '/other'.length), '/other');
        assert.equal(guest.call('fd_prestat_get', OTHER + 1, guest.room(room)), 'badf');
      }),
  );
}
