import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ERRNO } from '../../../host/wasi/errno.ts';
import { STOP } from '../../../host/preview1/preview1.ts';
import { WASM_PAGE_BYTES } from '../../../host/wasm-page.ts';
import { Guest, ROOT } from './guest.ts';

const FUNCTIONS = [
  'args_get args_sizes_get environ_get environ_sizes_get clock_res_get clock_time_get',
  'fd_advise fd_allocate fd_close fd_datasync fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights',
  'fd_filestat_get fd_filestat_set_size fd_filestat_set_times fd_pread fd_prestat_get fd_prestat_dir_name',
  'fd_pwrite fd_read fd_readdir fd_renumber fd_seek fd_sync fd_tell fd_write',
  'path_create_directory path_filestat_get path_filestat_set_times path_link path_open path_readlink',
  'path_remove_directory path_rename path_symlink path_unlink_file',
  'poll_oneoff proc_exit proc_raise sched_yield random_get sock_accept sock_recv sock_send sock_shutdown',
]
  .join(' ')
  .split(' ');

/** Offset just inside the end of the memory, where nothing of 4 bytes fits. */
const END = 2 * WASM_PAGE_BYTES - 1;
const GUEST = { files: { file: 'contents', 'dir/': '' }, call: { input: Buffer.from('in'), environment: { A: 'b' } } };

/** Arguments of a good call of each function that takes pointers; `^` marks each pointer, by its position. */
function goodCalls(guest: Guest): Record<string, [parameters: (number | bigint)[], pointers: number[]]> {
  const room = guest.room(256);
  const [path, length] = guest.put('file');
  const [fresh, freshLength] = guest.put('fresh');
  const { iovs } = guest.iovecs(2);
  const subscription = guest.room(48);
  guest.bytes.fill(0, subscription, subscription + 48);
  const file = guest.mustOpen('file', { write: true });
  return {
    args_get: [
      [room, room],
      [0, 1],
    ],
    args_sizes_get: [
      [room, room],
      [0, 1],
    ],
    environ_get: [
      [room, room],
      [0, 1],
    ],
    environ_sizes_get: [
      [room, room],
      [0, 1],
    ],
    clock_res_get: [[0, room], [1]],
    clock_time_get: [[0, 0n, room], [2]],
    fd_fdstat_get: [[0, room], [1]],
    fd_filestat_get: [[0, room], [1]],
    fd_pread: [
      [file, iovs, 1, 0n, room],
      [1, 4],
    ],
    fd_prestat_get: [[ROOT, room], [1]],
    fd_prestat_dir_name: [[ROOT, room, 5], [1]],
    fd_pwrite: [
      [file, iovs, 1, 0n, room],
      [1, 4],
    ],
    fd_read: [
      [0, iovs, 1, room],
      [1, 3],
    ],
    fd_readdir: [
      [ROOT, room, 64, 0n, room],
      [1, 4],
    ],
    fd_seek: [[file, 0n, 0, room], [3]],
    fd_tell: [[file, room], [1]],
    fd_write: [
      [1, iovs, 1, room],
      [1, 3],
    ],
    path_create_directory: [[ROOT, fresh, freshLength], [1]],
    path_filestat_get: [
      [ROOT, 0, path, length, room],
      [2, 4],
    ],
    path_filestat_set_times: [[ROOT, 0, path, length, 0n, 0n, 0], [2]],
    path_link: [
      [ROOT, 0, path, length, ROOT, fresh, freshLength],
      [2, 5],
    ],
    path_open: [
      [ROOT, 0, path, length, 0, 0n, 0n, 0, room],
      [2, 8],
    ],
    path_readlink: [
      [ROOT, path, length, room, 8, room],
      [1, 3, 5],
    ],
    path_remove_directory: [[ROOT, fresh, freshLength], [1]],
    path_rename: [
      [ROOT, path, length, ROOT, fresh, freshLength],
      [1, 4],
    ],
    path_symlink: [
      [path, length, ROOT, fresh, freshLength],
      [0, 3],
    ],
    path_unlink_file: [[ROOT, fresh, freshLength], [1]],
    poll_oneoff: [
      [subscription, room, 1, room],
      [0, 1, 3],
    ],
    random_get: [[room, 8], [0]],
  };
}

/** Arguments of the functions that take u64 and no pointer. */
const POINTERLESS: Record<string, (number | bigint)[]> = {
  fd_advise: [0, 0n, 0n, 0],
  fd_allocate: [0, 0n, 0n],
  fd_fdstat_set_rights: [0, 0n, 0n],
  fd_filestat_set_size: [0, 0n],
  fd_filestat_set_times: [0, 0n, 0n, 0],
};

test('Preview1 has the 46 functions of the spec in both namespaces', () => {
  const { imports } = new Guest().host;
  for (const namespace of ['wasi_snapshot_preview1', 'wasi_unstable']) {
    assert.deepEqual(Object.keys(imports[namespace] ?? {}).sort(), FUNCTIONS.toSorted());
  }
  assert.equal(FUNCTIONS.length, 46);
});

test('Preview1 answers FAULT for each pointer that leads outside, in each function', () => {
  const outside = [END, 2 * WASM_PAGE_BYTES, 0x7fff_ffff, -1, -8];
  for (const name of Object.keys(goodCalls(new Guest(GUEST)))) {
    const [parameters, pointers] = goodCalls(new Guest(GUEST))[name] as [(number | bigint)[], number[]];
    for (const position of pointers) {
      for (const pointer of outside) {
        const guest = new Guest(GUEST);
        goodCalls(guest);
        const bad = parameters.with(position, pointer);
        assert.equal(guest.call(name, ...bad), 'fault', `${name}: parameter ${position} at ${pointer}`);
      }
    }
  }
});

test('Preview1 answers FAULT for an iovec that leads outside, before any byte moves', () => {
  for (const name of ['fd_read', 'fd_write']) {
    const guest = new Guest({ call: { input: Buffer.from('input') } });
    const { iovs, rooms } = guest.iovecs(2, 2);
    guest.view.setUint32(iovs + 8, END, true);
    assert.equal(guest.call(name, name === 'fd_read' ? 0 : 1, iovs, 2, guest.room(4)), 'fault');
    assert.equal(guest.text(rooms[0] as number, 2), '??');
    assert.equal(guest.host.inputBytesRead, 0);
    assert.equal(guest.host.stdout().length, 0);
    assert.equal(guest.call(name, name === 'fd_read' ? 0 : 1, iovs, 0x2000_0000, guest.room(4)), 'fault');
  }
});

test('Preview1 answers FAULT for every pointer of a module without a memory', () => {
  for (const name of Object.keys(goodCalls(new Guest(GUEST)))) {
    const guest = new Guest(GUEST);
    const [parameters] = goodCalls(guest)[name] as [(number | bigint)[], number[]];
    guest.host.bind(undefined);
    assert.equal(guest.call(name, ...parameters), 'fault', name);
  }
});

test('Preview1 sees a memory that grew', () => {
  const guest = new Guest();
  assert.equal(guest.call('random_get', 2 * WASM_PAGE_BYTES, 16), 'fault');
  guest.memory.grow(1);
  assert.equal(guest.call('random_get', 2 * WASM_PAGE_BYTES, 16), 'success');
  assert.notEqual(guest.hex(2 * WASM_PAGE_BYTES, 16), '0'.repeat(32));
});

test('Preview1 never throws anything but STOP, whatever numbers it is called with', () => {
  const numbers = [0, 1, 3, 4, 99, 1024, END, -1, 0x8000_0000 | 0];
  let seed = 1;
  const next = (): number => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fff_ffff;
    return seed >>> 8;
  };
  for (let round = 0; round < 40; round++) {
    const guest = new Guest(GUEST);
    goodCalls(guest);
    for (const name of FUNCTIONS.filter((name) => name !== 'poll_oneoff')) {
      const shape = goodCalls(new Guest(GUEST))[name]?.[0] ?? POINTERLESS[name] ?? [0, 0, 0, 0];
      const parameters = shape.map((value) => {
        const number = numbers[next() % numbers.length] as number;
        return typeof value === 'bigint' ? BigInt(number) * BigInt(next()) : number;
      });
      guest.isStoppedBy(name, ...parameters);
      if (guest.host.ending !== undefined) guest.begin();
    }
  }
});

test('proc_exit ends the guest, and every later call ends it again', () => {
  const guest = new Guest();
  assert.throws(
    () => guest.raw('proc_exit', 3),
    (error) => error === STOP,
  );
  assert.deepEqual(guest.host.ending, { kind: 'exit', exitCode: 3 });
  assert.ok(guest.isStoppedBy('sched_yield'));
  assert.ok(guest.isStoppedBy('proc_exit', 0));
  assert.deepEqual(guest.host.ending, { kind: 'exit', exitCode: 3 });
  guest.begin();
  assert.equal(guest.host.ending, undefined);
  assert.equal(guest.call('sched_yield'), 'success');
  assert.ok(guest.isStoppedBy('proc_exit', 0));
  assert.deepEqual(guest.host.ending, { kind: 'ok' });
});

test('proc_raise does what the default action of a signal is', () => {
  const guest = new Guest();
  assert.equal(guest.call('proc_raise', 0), 'success');
  assert.equal(guest.call('proc_raise', 16), 'success');
  assert.equal(guest.call('proc_raise', 18), 'notsup');
  assert.equal(guest.call('proc_raise', 31), 'inval');
  assert.equal(guest.call('proc_raise', -1), 'inval');
  assert.ok(guest.isStoppedBy('proc_raise', 6));
  assert.deepEqual(guest.host.ending, { kind: 'exit', exitCode: 134 });
});

test('sock functions answer NOTSOCK for what is open and BADF for what is not', () => {
  const guest = new Guest();
  for (const name of ['sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown']) {
    assert.equal(guest.call(name, 0, 0, 0, 0, 0, 0), 'notsock');
    assert.equal(guest.call(name, 9, 0, 0, 0, 0, 0), 'badf');
  }
});

/** How a call with a path ends a guest whose only mount is read-only. */
function ended(name: string, files: Record<string, string> = {}, path = '/etc/passwd'): unknown {
  const guest = new Guest({ files, access: 'read-only', capabilities: { denial: 'end' } });
  assert.ok(guest.isStoppedBy(name, ROOT, ...guest.put(path)));
  return guest.host.ending;
}

test('Preview1 ends a guest that uses what it lacks, where the capabilities say so', () => {
  assert.deepEqual(ended('path_create_directory'), { kind: 'denied', capability: 'filesystem' });
  assert.deepEqual(ended('path_unlink_file', {}, '../x'), { kind: 'denied', capability: 'filesystem' });
  assert.deepEqual(ended('path_unlink_file', { a: '' }, 'a'), { kind: 'denied', capability: 'filesystem' });
  const guest = new Guest({ capabilities: { denial: 'end' } });
  assert.ok(guest.isStoppedBy('sock_shutdown', 0, 0));
  assert.deepEqual(guest.host.ending, { kind: 'denied', capability: 'sockets' });
});

test('begin() counts calls, input and reads from nothing again', () => {
  const guest = new Guest({ call: { input: Buffer.from('four') } });
  guest.read(0, 3);
  guest.raw('random_get', 0, 4);
  guest.raw('clock_time_get', 1, 0n, 0);
  assert.equal(guest.host.hostCalls, 3);
  assert.equal(guest.host.inputBytesRead, 3);
  assert.deepEqual(guest.host.reads, { random: true, clock: true });
  guest.begin();
  assert.equal(guest.host.hostCalls, 0);
  assert.equal(guest.host.inputBytesRead, 0);
  assert.deepEqual(guest.host.reads, { random: false, clock: false });
});

test('end() keeps what is told of the invocation until the next begin()', () => {
  const guest = new Guest({ call: { input: Buffer.from('four') } });
  guest.read(0, 3);
  guest.write(1, 'out');
  assert.ok(guest.isStoppedBy('proc_exit', 2));
  guest.host.end();
  assert.equal(guest.host.inputBytesRead, 3);
  assert.equal(guest.host.hostCalls, 3);
  assert.deepEqual(guest.host.ending, { kind: 'exit', exitCode: 2 });
  assert.equal(Buffer.from(guest.host.stdout()).toString(), 'out');
});

test('begin() closes what the last guest left open and opens what it closed', () => {
  const guest = new Guest({ files: { file: 'x' } });
  guest.mustOpen('file');
  assert.equal(guest.call('fd_close', 1), 'success');
  assert.equal(guest.call('fd_close', ROOT), 'success');
  guest.host.end();
  guest.begin();
  assert.equal(guest.write(1, 'back'), 'success');
  assert.equal(guest.mustOpen('file'), 4);
  assert.equal(guest.raw('fd_close', 5), ERRNO.badf);
});

test('begin() gives an in-memory mount its first contents again', () => {
  const guest = new Guest({ files: { file: 'first' } });
  assert.equal(guest.write(guest.mustOpen('file', { write: true }), 'SECOND'), 'success');
  assert.equal(guest.path('path_create_directory', 'left'), 'success');
  guest.host.end();
  guest.begin();
  assert.equal(guest.read(guest.mustOpen('file'), 10), 'first');
  assert.equal(guest.stat('left'), 'noent');
});

test('stdout() and stderr() never show what an earlier guest wrote', () => {
  const guest = new Guest();
  guest.write(1, 'a long secret');
  guest.write(2, 'another');
  const first = guest.host.stdout();
  guest.begin();
  guest.write(1, 'short');
  assert.equal(Buffer.from(guest.host.stdout()).toString(), 'short');
  assert.equal(guest.host.stdout().buffer.byteLength, 5);
  assert.equal(guest.host.stderr().length, 0);
  assert.equal(Buffer.from(first).toString(), 'a long secret');
});
