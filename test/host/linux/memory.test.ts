import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { LinuxError, lastError } from '../../../host/linux/libc.ts';
import { getLimits } from '../../../host/linux/limits.ts';
import {
  addressOf,
  closeFd,
  discardPages,
  ftruncateFd,
  hasCow,
  mapPrivate,
  memfdCreate,
  readFd,
  sealFd,
  writeFd,
} from '../../../host/linux/memory.ts';
import { repetitions } from '../../repetitions.ts';

const PAGE = 65_536;

const support = hasCow();
const skip = support.ok ? false : support.reason;

function createImage(sizeBytes: number, fill: (index: number) => number): { fd: number; bytes: Uint8Array } {
  const bytes = Uint8Array.from({ length: sizeBytes }, (_, index) => fill(index));
  const fd = memfdCreate('test');
  writeFd(fd, bytes, 0);
  sealFd(fd);
  return { fd, bytes };
}

function countMappings(): number {
  return readFileSync('/proc/self/maps', 'latin1').split('\n').length;
}

test('hasCow() gives an answer with a reason when it is no', () => {
  assert.ok(support.ok || support.reason.length > 0);
});

test('mapPrivate() shows the image, discardPages() puts it back', { skip }, () => {
  const { fd, bytes } = createImage(4 * PAGE, (index) => (index * 31) & 255);
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 16 });
  const address = mapPrivate(memory.buffer, 4 * PAGE, fd);
  assert.equal(address, addressOf(memory.buffer));
  assert.deepEqual(new Uint8Array(memory.buffer), bytes);
  const view = new Uint8Array(memory.buffer);
  view.fill(0xee);
  assert.equal(discardPages(address, view.length), 0);
  assert.deepEqual(view, bytes);
  view[5] = 1;
  assert.equal(discardPages(BigInt(address), view.length), 0);
  assert.equal(view[5], bytes[5]);
  const untouched = new Uint8Array(bytes.length);
  assert.equal(readFd(fd, untouched, 0), bytes.length);
  assert.deepEqual(untouched, bytes);
  closeFd(fd);
  assert.equal(view[7], bytes[7]);
});

test('mapPrivate() leaves a memory that grows, with zeroed new pages', { skip }, () => {
  const { fd, bytes } = createImage(PAGE, (index) => index & 127);
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 3 });
  const address = mapPrivate(memory.buffer, PAGE, fd);
  new Uint8Array(memory.buffer)[3] = 200;
  assert.equal(memory.grow(2), 1);
  assert.throws(() => memory.grow(1), RangeError);
  const view = new Uint8Array(memory.buffer);
  assert.equal(addressOf(memory.buffer), address);
  assert.equal(view[3], 200);
  assert.ok(view.subarray(PAGE).every((byte) => byte === 0));
  view[PAGE * 2] = 1;
  discardPages(address, PAGE * 3);
  assert.deepEqual(view.subarray(0, PAGE), bytes);
  assert.equal(view[PAGE * 2], 0);
  closeFd(fd);
});

test('mapPrivate() refuses sizes beyond the buffer, beyond the file or off the page', { skip }, () => {
  const { fd } = createImage(PAGE, () => 1);
  const memory = new WebAssembly.Memory({ initial: 2, maximum: 2 });
  for (const sizeBytes of [0, -PAGE, 100, PAGE * 2, PAGE * 3, Number.NaN]) {
    assert.throws(() => mapPrivate(memory.buffer, sizeBytes, fd), { code: 'ERR_NEBULA_ARGUMENT' }, String(sizeBytes));
  }
  assert.throws(() => mapPrivate(new Uint8Array(memory.buffer, 8), PAGE, fd), { code: 'ERR_NEBULA_ARGUMENT' });
  closeFd(fd);
});

test('sealFd() makes the image unchangeable', { skip }, () => {
  const { fd } = createImage(PAGE, () => 1);
  assert.throws(() => writeFd(fd, new Uint8Array(1), 0), { name: 'LinuxError', code: 'EPERM' });
  assert.throws(() => ftruncateFd(fd, 0), { name: 'LinuxError', code: 'EPERM' });
  closeFd(fd);
});

test('ftruncateFd() sets a size that reads as zero and ends reads early', { skip }, () => {
  const fd = memfdCreate('test');
  ftruncateFd(fd, 10);
  writeFd(fd, Uint8Array.of(1, 2), 8);
  const target = new Uint8Array(20).fill(255);
  assert.equal(readFd(fd, target, 4), 6);
  assert.deepEqual([...target.subarray(0, 7)], [0, 0, 0, 0, 1, 2, 255]);
  closeFd(fd);
});

test('LinuxError names the errno', { skip }, () => {
  assert.throws(
    () => closeFd(-1),
    (error: unknown) => error instanceof LinuxError && error.code === 'EBADF' && error.errno === 9,
  );
  assert.equal(discardPages(1, 4096), -1);
  assert.equal(lastError('discard').code, 'EINVAL');
  assert.throws(() => memfdCreate('x'.repeat(300)), { code: 'EINVAL' });
});

test('mapPrivate() over 3,000 memories leaves none behind', { skip, timeout: 60_000 }, async () => {
  const collect = (globalThis as { gc?: () => void }).gc;
  const { fd } = createImage(16 * PAGE, () => 7);
  const before = countMappings();
  for (let round = 0; round < repetitions(3000); round++) {
    const memory = new WebAssembly.Memory({ initial: 16, maximum: 65_536 });
    mapPrivate(memory.buffer, 16 * PAGE, fd);
    const view = new Uint8Array(memory.buffer);
    assert.equal(view[4096], 7);
    view[4096] = 8;
    if (round % 100 === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  collect?.();
  await new Promise((resolve) => setTimeout(resolve, 50));
  collect?.();
  assert.ok(countMappings() - before < 1000, `${countMappings() - before} mappings left`);
  closeFd(fd);
});

test('discardPages() works in two workers over one memfd', { skip, timeout: 60_000 }, async () => {
  const { fd } = createImage(16 * PAGE, (index) => (index >> 12) & 255);
  const module = new URL('../../../host/linux/memory.js', import.meta.url).href;
  const source = `
    const { workerData, parentPort } = require('node:worker_threads');
    import(${JSON.stringify(module)}).then(({ mapPrivate, discardPages }) => {
      const memory = new WebAssembly.Memory({ initial: 16, maximum: 32 });
      const view = new Uint8Array(memory.buffer);
      const address = mapPrivate(memory.buffer, view.length, workerData.fd);
      let wrong = 0;
      for (let round = 0; round < ${repetitions(2000)}; round++) {
        for (let page = 0; page < 256; page += 16) {
          wrong += view[page * 4096 + round] === page ? 0 : 1;
          view[page * 4096 + round] = workerData.mark;
        }
        discardPages(address, view.length);
      }
      parentPort.postMessage(wrong);
    });`;
  const results = [101, 103].map(
    (mark) =>
      new Promise((resolve, reject) => {
        const worker = new Worker(source, { eval: true, workerData: { fd, mark } });
        worker.once('message', resolve).once('error', reject);
      }),
  );
  assert.deepEqual(await Promise.all(results), [0, 0]);
  closeFd(fd);
});

test('getLimits() tells the address space and the mappings', () => {
  const limits = getLimits();
  assert.ok(limits.addressSpaceBytes > 0);
  assert.ok(limits.maxMapCount > 1000);
});
