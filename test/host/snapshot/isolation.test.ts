import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { STRATEGIES, type Strategy } from '../../../host/definition/strategies.ts';
import { hasCow } from '../../../host/linux/memory.ts';
import { pageSizeBytes } from '../../../host/linux/page-size.ts';
import { HotPages } from '../../../host/snapshot/restore/hot-pages.ts';
import { define, defineGuest, Deployed } from '../function.ts';

/**
 * Reads up to 64 bytes and keeps them in every place it has: the ends of its memory, a page of its own, a place that the
 * input chooses, globals of each type. Answers what it finds at those places.
 */
const KEEPER = `(module
  (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 8) (data (i32.const 20000) "constant")
  (global $i (mut i64) (i64.const 0)) (global $f (mut f64) (f64.const 0)) (global $v (mut v128) (v128.const i64x2 0 0))
  (func (export "_start") (local $to i32)
    (i64.store (i32.const 200) (global.get $i)) (f64.store (i32.const 208) (global.get $f)) (v128.store (i32.const 216) (global.get $v))
    (v128.store (i32.const 232) (v128.load (i32.const 524272))) (v128.store (i32.const 248) (v128.load (i32.const 70000)))
    (i32.store (i32.const 0) (i32.const 200)) (i32.store (i32.const 4) (i32.const 64))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
    (i32.store (i32.const 0) (i32.const 524224)) (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (memory.copy (i32.const 70000) (i32.const 524224) (i32.const 64))
    (local.set $to (i32.and (i32.load (i32.const 524224)) (i32.const 0x7fff0)))
    (v128.store (local.get $to) (v128.load (i32.const 524240)))
    (memory.copy (i32.const 524272) (i32.const 524240) (i32.const 16))
    (global.set $i (i64.load (i32.const 524240))) (global.set $f (f64.load (i32.const 524240)))
    (global.set $v (v128.load (i32.const 524240)))))`;

const CALLS: Readonly<Record<Strategy, number>> = { fresh: 4000, copy: 38_000, cow: 38_000 };
const GUEST_CALLS = 10_000;

/** 64 random bytes; the first four are mixed from the call's number, for they choose where the guest keeps a copy. */
function secretOf(call: number): Buffer {
  const secret = randomBytes(64);
  secret.writeUInt32LE(Math.imul(call, 0x9e37_79b1) >>> 0, 0);
  return secret;
}

/** A tenant's function, and when the restorer looks at what its runs touched. */
class Tenant extends Deployed {
  readonly #looks: HotPages = new HotPages(pageSizeBytes());

  /**
   * Whether the next run is not looked at; asked once before each. To search the memory is to read every page of it, and
   * pages that a look finds read are copied back from then on: none would be dropped any more.
   */
  maySearch(): boolean {
    return !this.#looks.isDue();
  }
}

function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
}

function searchFor(deployed: Deployed, secret: Buffer, where: string): void {
  const { vm } = deployed;
  const memory = bufferOf(vm.state.bytes);
  assert.equal(memory.indexOf(secret.subarray(16, 24)), -1, `${where}: in the memory`);
}

/** One part of the globals' bits is enough to know the value. */
function searchGlobals(deployed: Deployed, secret: Buffer, where: string): void {
  const first = secret.readBigInt64LE(16);
  const found = deployed.vm.state.readGlobals().some((state) => {
    if (state.kind === 'i64') return state.value === first;
    return state.kind === 'bits' && state.lanes.includes(first);
  });
  assert.equal(found, false, `${where}: in a global`);
}

for (const strategy of STRATEGIES) {
  const support = hasCow();
  const skip = strategy === 'cow' && !support.ok ? support.reason : false;
  test(`a secret of call N is nowhere in call N+1 with ${strategy}: ${CALLS[strategy]} calls, two tenants`, {
    skip,
  }, async () => {
    const tenants = [
      new Tenant(await define(KEEPER, { name: 'one', strategy })),
      new Tenant(await define(KEEPER, { name: 'other', strategy })),
    ];
    let secret = secretOf(0);
    for (let call = 0; call < CALLS[strategy]; call++) {
      // Each tenant is called twice in a row, so that a secret is looked for in its own and in the other's micro-VM.
      const tenant = tenants[(call >> 1) % 2] as Tenant;
      const where = `call ${call}`;
      if (tenant.maySearch()) searchFor(tenant, secret, where);
      searchGlobals(tenant, secret, where);
      const next = secretOf(call + 1);
      assert.equal(tenant.run(next).kind, 'ok');
      const answer = Buffer.from(tenant.vm.stdout());
      assert.equal(answer.length, 64);
      assert.ok(
        answer.every((byte) => byte === 0),
        `${where}: in the answer`,
      );
      secret = next;
      tenant.settle();
    }
    const last = tenants[0] as Tenant;
    last.run(secret);
    assert.throws(() => searchFor(last, secret, 'before the restore'), 'a search that finds nothing proves nothing');
    assert.throws(() => searchGlobals(last, secret, 'before the restore'));
  });
}

test(`keep-secret keeps nothing: ${GUEST_CALLS} calls of each of two tenants`, async () => {
  const tenants = [
    new Tenant(await defineGuest('guests/keep-secret')),
    new Tenant(await defineGuest('guests/keep-secret')),
  ];
  let secret = 'none';
  for (let call = 0; call < 2 * GUEST_CALLS; call++) {
    const tenant = tenants[(call >> 1) % 2] as Tenant;
    if (tenant.maySearch() && call % 8 < 2) {
      const memory = bufferOf(tenant.vm.state.bytes);
      assert.equal(memory.indexOf(secret), -1, `call ${call}`);
    }
    secret = `secret-${call}-${Math.imul(call + 1, 0x9e37_79b1) >>> 0}`;
    assert.deepEqual(tenant.run(`${secret}\n`), { kind: 'ok' });
    assert.equal(tenant.text, 'static ""\nheap ""\n', `call ${call}`);
    assert.equal(tenant.settle(), true);
  }
});
