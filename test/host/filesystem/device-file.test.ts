import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { resolveCapabilities } from '../../../host/capabilities/capabilities.ts';
import { type DeviceName, DEVICES } from '../../../host/capabilities/mounts/schema.ts';
import type { Descriptor } from '../../../host/component/world/descriptor.ts';
import { createFilesystem } from '../../../host/component/world/filesystem.ts';
import { Host } from '../../../host/component/world/host.ts';
import { isNebulaError } from '../../../host/errors.ts';
import { mountMachine } from '../../../host/filesystem/machine-mount.ts';
import { mountMemory } from '../../../host/filesystem/memory-mount.ts';
import type { MountedDirectory } from '../../../host/filesystem/mount.ts';
import { resolveLimits } from '../../../host/limits.ts';
import { OFLAG } from '../../../host/wasi/flags.ts';
import { Guest, type GuestOptions, ROOT } from '../preview1/guest.ts';
import { skip } from './machine-fixture.ts';

type Access = 'read-only' | 'read-write';
type Open = (devices: readonly DeviceName[] | undefined, access: Access) => MountedDirectory;

const inMemory: Open = (devices, access) =>
  mountMemory(
    { guest: '/dev', files: { file: 'x' }, access, ...(devices === undefined ? {} : { devices }) },
    resolveLimits(),
  );

/** A folder of the machine with its own nodes of these devices and of one that is never granted. */
function onMachine(context: TestContext): Open | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-devices-'));
  context.after(() => rmSync(folder, { recursive: true }));
  try {
    for (const [name, minor] of [
      ['null', 3],
      ['zero', 5],
      ['urandom', 9],
      ['full', 7],
    ] as const) {
      execFileSync('mknod', ['-m', '666', join(folder, name), 'c', '1', String(minor)], { stdio: 'pipe' });
    }
    execFileSync('mkfifo', [join(folder, 'fifo')]);
    execFileSync('head', ['-c', '1', join(folder, 'zero')], { stdio: 'pipe' });
  } catch {
    return undefined;
  }
  writeFileSync(join(folder, 'file'), 'x');
  return (devices, access) => {
    const mount = mountMachine({
      guest: '/dev',
      machine: folder,
      access,
      ...(devices === undefined ? {} : { devices }),
    });
    context.after(() => mount.close());
    return mount;
  };
}

const guestOn =
  (open: Open) =>
  (devices?: readonly DeviceName[], access: Access = 'read-write', options: GuestOptions = {}): Guest =>
    new Guest({ ...options, mounts: [open(devices, access)] });

/** Registers a test for each kind of mount; `guest` opens one with these devices. */
function testDevices(
  name: string,
  act: (guest: (devices?: readonly DeviceName[], access?: Access, options?: GuestOptions) => Guest) => void,
): void {
  test(`${name} (memory)`, () => act(guestOn(inMemory)));
  test(`${name} (machine)`, { skip }, (context) => {
    const open = onMachine(context);
    if (open === undefined) context.skip('making device nodes needs root, and a file system that opens them');
    else act(guestOn(open));
  });
}

testDevices('DeviceFile reads and writes as null(4) and random(4) have it', (open) => {
  for (const access of ['read-write', 'read-only'] as const) {
    const guest = open(DEVICES, access);
    const fds = Object.fromEntries(DEVICES.map((name) => [name, guest.mustOpen(name, { write: true })]));
    const fd = (name: DeviceName): number => fds[name] as number;
    for (const name of DEVICES) assert.equal(guest.write(fd(name), 'gone'), 'success');
    assert.equal(guest.read(fd('null'), 4), '');
    assert.equal(guest.read(fd('zero'), 4), '\0'.repeat(4));
    const random = guest.read(fd('urandom'), 32);
    assert.notEqual(random, '?'.repeat(32));
    assert.notEqual(random, guest.read(fd('urandom'), 32));
    const room = guest.room(8);
    assert.equal(guest.call('fd_seek', fd('zero'), 100n, 0, room), 'success');
    assert.equal(guest.u64(room), 0n);
    const stat = guest.fdStat(fd('null'));
    assert.ok(typeof stat !== 'string' && stat.filetype === 2 && stat.size === 0n);
    assert.equal(guest.call('fd_filestat_set_size', fd('null'), 1n), 'inval');
    assert.equal(guest.call('fd_close', fd('null')), 'success');
  }
});

testDevices('DeviceFile is read and written as it was opened', (open) => {
  const guest = open(DEVICES);
  assert.equal(guest.write(guest.mustOpen('null'), 'x'), 'badf');
  assert.equal(guest.read(guest.mustOpen('zero', { rights: 64n }), 1), '<badf>');
  assert.equal(
    typeof guest.open('null', { oflags: OFLAG.creat | OFLAG.trunc, write: true }),
    'number',
    'as a shell opens it',
  );
  assert.equal(guest.open('null', { oflags: OFLAG.creat | OFLAG.excl }), 'exist');
  assert.equal(guest.open('null', { oflags: OFLAG.directory }), 'notdir');
});

test('mountMachine() opens no device that is not granted, and never one that has no name', { skip }, (context) => {
  const open = onMachine(context);
  if (open === undefined) {
    context.skip('making device nodes needs root, and a file system that opens them');
    return;
  }
  for (const devices of [undefined, [], ['null'], DEVICES] as const) {
    const guest = new Guest({ mounts: [open(devices, 'read-write')] });
    const granted: readonly string[] = devices ?? [];
    for (const name of [...DEVICES, 'full', 'fifo']) {
      const opened = guest.open(name);
      assert.equal(typeof opened === 'number' ? 'opened' : opened, granted.includes(name) ? 'opened' : 'acces', name);
    }
    assert.equal(guest.read(guest.mustOpen('file'), 9), 'x');
  }
});

test('mountMemory() has the devices it grants, and no others', () => {
  for (const devices of [undefined, [], ['zero'], DEVICES] as const) {
    const guest = new Guest({ mounts: [inMemory(devices, 'read-only')] });
    const granted: readonly string[] = devices ?? [];
    for (const name of DEVICES) {
      const opened = guest.open(name);
      assert.equal(typeof opened === 'number' ? 'opened' : opened, granted.includes(name) ? 'opened' : 'noent', name);
    }
  }
});

test('mountMemory() refuses a file where it is to have a device', () => {
  for (const path of ['null', 'null/x', 'null/']) {
    assert.throws(
      () =>
        mountMemory({ guest: '/dev', files: { [path]: '' }, access: 'read-only', devices: ['null'] }, resolveLimits()),
      (error) =>
        isNebulaError(error) && error.key === 'MOUNT_UNAVAILABLE' && error.message.includes('"null" is a device'),
    );
  }
});

function draw(guest: Guest): string {
  const fd = guest.mustOpen('urandom');
  assert.equal(guest.host.reads.random, false);
  const drawn = Buffer.from(guest.read(fd, 16), 'latin1').toString('hex');
  assert.equal(guest.host.reads.random, true);
  return drawn;
}

testDevices('DeviceFile draws from the random source of the guest, and says so', (open) => {
  const seeded = (seed: number): Guest =>
    open(DEVICES, 'read-only', { capabilities: { random: { kind: 'seeded', seed } } });
  assert.equal(draw(seeded(1)), draw(seeded(1)));
  assert.notEqual(draw(seeded(1)), draw(seeded(2)));
  const guest = seeded(1);
  const first = draw(guest);
  guest.begin();
  assert.equal(draw(guest), first, 'a call repeats the sequence');
});

test('a component has the devices that its mount grants', () => {
  const capabilities = resolveCapabilities();
  const mount = inMemory(DEVICES, 'read-only');
  const host = new Host({ programName: 'test', limits: resolveLimits(), capabilities }, [mount]);
  const { getDirectories } = createFilesystem(host)['wasi:filesystem/preopens'] as {
    getDirectories: () => [Descriptor, string][];
  };
  const [root] = getDirectories()[0] as [Descriptor, string];
  const zero = root.openAt({}, 'zero', {}, { read: true, write: true });
  assert.equal(zero.getType(), 'character-device');
  assert.deepEqual(zero.read(3n, 1000n), [new Uint8Array(3), false]);
  assert.equal(zero.write(Uint8Array.of(1, 2), 0n), 2n);
  assert.deepEqual(root.openAt({}, 'null', {}, { read: true }).read(3n, 0n), [new Uint8Array(), true]);
  host.end();
});

test('ROOT of a mount lists its devices as such', () => {
  const guest = new Guest({ mounts: [inMemory(['null'], 'read-only')] });
  assert.equal((guest.stat('null') as { filetype: number }).filetype, 2);
  const used = guest.room(4);
  const buffer = guest.room(400);
  assert.equal(guest.call('fd_readdir', ROOT, buffer, 400, 0n, used), 'success');
  assert.match(guest.text(buffer, guest.u32(used)), /null/);
});
