import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveCapabilities } from '../../../../host/capabilities/capabilities.ts';
import type { Mount } from '../../../../host/capabilities/mounts/schema.ts';
import { WasiError } from '../../../../host/component/world/guest-stop.ts';
import type { Descriptor, DescriptorFlags } from '../../../../host/component/world/descriptor.ts';
import { createFilesystem } from '../../../../host/component/world/filesystem.ts';
import { Host } from '../../../../host/component/world/host.ts';
import { closeAll, mountAll } from '../../../../host/filesystem/mounts.ts';
import { resolveLimits } from '../../../../host/limits.ts';
import { skip } from '../../filesystem/machine-fixture.ts';

type Directories = () => [Descriptor, string][];

/** The preopens of a component. */
function withMounts(mounts: readonly Mount[], act: (directories: [Descriptor, string][]) => void): void {
  const limits = resolveLimits();
  const capabilities = resolveCapabilities({ mounts });
  const mounted = mountAll(capabilities.mounts, limits);
  const host = new Host({ programName: 'test', limits, capabilities }, mounted);
  try {
    act((createFilesystem(host)['wasi:filesystem/preopens'] as { getDirectories: Directories }).getDirectories());
  } finally {
    host.end();
    closeAll(mounted);
  }
}

/** Registers a test on a mount in memory and on one of the machine, each with `file`. */
function testMounts(name: string, act: (root: Descriptor) => void): void {
  const access = 'read-write';
  test(`${name} (memory)`, () => {
    withMounts([{ guest: '/data', files: { file: 'abcdef' }, access }], ([first]) => act(first?.[0] as Descriptor));
  });
  test(`${name} (machine)`, { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'nebula-descriptor-'));
    writeFileSync(join(folder, 'file'), 'abcdef');
    try {
      withMounts([{ guest: '/data', machine: folder, access }], ([first]) => act(first?.[0] as Descriptor));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

const open = (root: Descriptor, flags: DescriptorFlags): Descriptor => root.openAt({}, 'file', {}, flags);

function codeOf(act: () => unknown): unknown {
  try {
    act();
    return 'success';
  } catch (error) {
    if (!(error instanceof WasiError)) throw error;
    return error.payload;
  }
}

testMounts('read says the end wherever nothing is read', (root) => {
  const file = open(root, { read: true });
  const read = (length: bigint, offset: bigint): [string, boolean] => {
    const [bytes, end] = file.read(length, offset);
    return [Buffer.from(bytes).toString(), end];
  };
  assert.deepEqual(read(4n, 0n), ['abcd', false]);
  assert.deepEqual(read(4n, 4n), ['ef', false]);
  assert.deepEqual(read(4n, 6n), ['', true]);
  assert.deepEqual(read(4n, 100n), ['', true]);
  assert.deepEqual(
    read(0n, 0n),
    ['', true],
    'as wasmtime has it: adapters take no bytes and no end for an interruption',
  );
  assert.deepEqual(read(0n, 6n), ['', true]);
});

testMounts('open-at opens to read what is asked for neither to be read nor written', (root) => {
  for (const flags of [{}, { requestedWriteSync: true }]) {
    const file = open(root, flags);
    assert.equal(Buffer.from(file.read(9n, 0n)[0]).toString(), 'abcdef');
    assert.equal(file.getFlags().read, true);
    assert.equal(
      codeOf(() => file.write(Uint8Array.of(1), 0n)),
      'bad-descriptor',
    );
  }
  assert.equal(
    codeOf(() => open(root, { write: true }).read(1n, 0n)),
    'bad-descriptor',
  );
});

testMounts('open-at refuses a directory that is to be created, insisted on or truncated', (root) => {
  for (const flags of [{ create: true }, { exclusive: true }, { truncate: true }]) {
    for (const path of ['file', 'new', '.']) {
      const asked = { ...flags, directory: true };
      assert.equal(
        codeOf(() => root.openAt({}, path, asked, { read: true })),
        'invalid',
        `${path}, ${Object.keys(flags).join()}`,
      );
    }
  }
});

testMounts('a zero-length append through a stream grows nothing', (root) => {
  const file = open(root, { read: true, write: true });
  file.appendViaStream().write(new Uint8Array());
  file.writeViaStream(100n).write(new Uint8Array());
  assert.equal(file.stat().size, 6n);
});

testMounts('set-size and advise tell of a file what is wrong with it, and of a directory that it is none', (root) => {
  assert.equal(
    codeOf(() => open(root, { read: true }).setSize(1n)),
    'invalid',
  );
  assert.equal(
    codeOf(() => open(root, { read: true, write: true }).setSize(1n)),
    'success',
  );
  assert.equal(
    codeOf(() => root.setSize(1n)),
    'bad-descriptor',
  );
  assert.equal(
    codeOf(() => open(root, { read: true }).advise(1n << 63n, 0n, 'normal')),
    'invalid',
  );
  assert.equal(
    codeOf(() => root.advise(0n, 0n, 'normal')),
    'bad-descriptor',
  );
});

test('getDirectories() names relative paths as the manifest has them', () => {
  const mounts = ['.', 'data', '/data'].map((guest): Mount => ({ guest, files: {}, access: 'read-only' }));
  withMounts(mounts, (directories) => {
    assert.deepEqual(
      directories.map(([, path]) => path),
      ['.', 'data', '/data'],
    );
  });
});
