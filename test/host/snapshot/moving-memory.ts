/**
 * A program: has V8 copy a memory to another place as it grows, for want of memory, and says what calls find afterwards. Its argument is
 * whether pages of it are closed by then.
 */

import { requireLibc } from '../../../host/linux/libc.ts';
import { addressOf } from '../../../host/linux/memory.ts';
import { dataBytes } from '../../../host/linux/limits.ts';
import { define, Deployed } from '../function.ts';

const RLIMIT_DATA = 2;
const LEFT_BYTES = 40 * 2 ** 20;

/** Grows by as many pages as its input says, traps if it cannot, and answers what a call before left at 3,000,000. */
const GUEST = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 200 8000)
  (func (export "_start") (i32.store (i32.const 0) (i32.const 100)) (i32.store (i32.const 4) (i32.const 4))
    (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 16)))
    (if (i32.eq (memory.grow (i32.load (i32.const 100))) (i32.const -1)) (then unreachable))
    (i32.store (i32.const 0) (i32.const 3000000))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))
    (i32.store (i32.const 3000000) (i32.const 0x21544553))))`;

const isClosed = process.argv[2] === 'closed';
const guest = new Deployed(await define(GUEST, { limits: { memoryBytes: 512 * 2 ** 20, timeoutMs: 60_000 } }));
const address = (): number => addressOf((guest.vm.state.memory as WebAssembly.Memory).buffer);
const told: string[] = [];
const call = (pages: number): void => {
  const { kind } = guest.run(Buffer.from(Uint32Array.of(pages).buffer));
  const found = Buffer.from(guest.vm.stdout()).toString('hex');
  told.push(`${kind} ${found}`);
};
if (isClosed) {
  call(1000);
  guest.settle();
}
const before = address();
// What V8 collects when it is short of memory, which then suffices for a copy.
const leaveGarbage = (): number => new WebAssembly.Memory({ initial: 4000, maximum: 4000 }).buffer.byteLength;
leaveGarbage();
const libc = requireLibc();
const limits = new BigUint64Array(2);
libc.getrlimit(RLIMIT_DATA, limits);
const usual = limits[0] as bigint;
limits[0] = BigInt(dataBytes(process.pid) + LEFT_BYTES);
libc.setrlimit(RLIMIT_DATA, limits);
call(1500);
limits[0] = usual;
libc.setrlimit(RLIMIT_DATA, limits);
const hasMoved = address() !== before;
const isRestored = guest.vm.restore();
if (!isRestored) guest.vm = guest.create();
for (let next = 0; next < 2; next++) {
  call(0);
  guest.settle();
}
process.stdout.write(JSON.stringify({ hasMoved, isRestored, told }));
