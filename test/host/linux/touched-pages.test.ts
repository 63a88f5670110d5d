import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeFd, discardPages, hasCow, mapPrivate, memfdCreate, writeFd } from '../../../host/linux/memory.ts';
import { hasPagemapScan } from '../../../host/linux/pagemap.ts';
import { pageSizeBytes } from '../../../host/linux/page-size.ts';
import { rangesOfEntries, readEntries, touchedPages, writtenPages } from '../../../host/linux/touched-pages.ts';
import { WASM_PAGE_BYTES } from '../../../host/wasm-page.ts';

const [PRESENT, SWAPPED, FILE] = [0x8000_0000, 0x4000_0000, 0x2000_0000];
const support = hasCow();
const skip = support.ok ? false : support.reason;

/** Entries of a page map whose upper words these are. */
function entries(upper: readonly number[]): Uint32Array {
  return Uint32Array.from(upper.flatMap((word) => [0, word]));
}

const times = (count: number, word: number): number[] => Array.from({ length: count }, () => word);

test('rangesOfEntries() joins neighbours of one kind and passes over pages that are not there', () => {
  const upper = [0, PRESENT, SWAPPED, PRESENT | FILE, 0, FILE, PRESENT];
  assert.deepEqual(rangesOfEntries(entries(upper), 4096), [
    [1, 3],
    [3, 4],
    [6, 7],
  ]);
  assert.deepEqual(rangesOfEntries(entries([]), 4096), []);
});

for (const { pageBytes, mostRead } of [
  { pageBytes: 4096, mostRead: 16 },
  { pageBytes: 16_384, mostRead: 4 },
  { pageBytes: 65_536, mostRead: 1 },
]) {
  test(`rangesOfEntries() leaves out read runs of more than ${mostRead} pages of ${pageBytes} bytes`, () => {
    const read = PRESENT | FILE;
    assert.deepEqual(rangesOfEntries(entries(times(mostRead, read)), pageBytes), [[0, mostRead]]);
    assert.deepEqual(rangesOfEntries(entries(times(mostRead + 1, read)), pageBytes), []);
    assert.deepEqual(rangesOfEntries(entries(times(mostRead + 1, PRESENT)), pageBytes), [[0, mostRead + 1]]);
  });
}

test('touchedPages() and readEntries() find pages that were written', { skip }, () => {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 16 });
  const bytes = new Uint8Array(memory.buffer);
  const pageBytes = pageSizeBytes();
  const fd = memfdCreate('test');
  try {
    writeFd(fd, new Uint8Array(bytes.length).fill(5), 0);
    const address = mapPrivate(memory.buffer, bytes.length, fd);
    for (const find of [touchedPages, readEntries]) {
      bytes[pageBytes * 2] = 1;
      bytes[pageBytes * 4 - 1] = 1;
      bytes[bytes.length - 1] = 1;
      const last = bytes.length / pageBytes;
      const found = find(address, bytes.length);
      assert.deepEqual(found, [
        [2, 4],
        [last - 1, last],
      ]);
      discardPages(address, bytes.length);
      assert.deepEqual(find(address, bytes.length), []);
    }
  } finally {
    closeFd(fd);
  }
});

/** What Linux maps around a page that is read. */
const AROUND_BYTES = 65_536;

/** A private mapping of a file that is nowhere zero, and the first place in it from which the kernel maps a whole window. */
function mapImage(sizeBytes: number): { bytes: Uint8Array; address: number; windowAt: number; fd: number } {
  const pages = sizeBytes / WASM_PAGE_BYTES;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const fd = memfdCreate('test');
  writeFd(fd, new Uint8Array(sizeBytes).fill(5), 0);
  const address = mapPrivate(memory.buffer, sizeBytes, fd);
  return { bytes: new Uint8Array(memory.buffer), address, windowAt: -address & (AROUND_BYTES - 1), fd };
}

const read = (bytes: Uint8Array, at: number): void => assert.equal(bytes[at], 5);

test('touchedPages() tells a page that was read with the window around it, and no run that is longer', { skip }, () => {
  const sizeBytes = 4 * 2 ** 20;
  const looks = hasPagemapScan() ? [touchedPages, readEntries] : [readEntries];
  for (const look of looks) {
    const { bytes, address, windowAt, fd } = mapImage(sizeBytes);
    const pageBytes = pageSizeBytes();
    const pagesOf = (fromBytes: number, toBytes: number): [number, number] => [
      (windowAt + fromBytes) / pageBytes,
      (windowAt + toBytes) / pageBytes,
    ];
    read(bytes, windowAt + 3 * pageBytes);
    const longAt = 2 ** 20;
    for (const at of [0, AROUND_BYTES]) read(bytes, windowAt + longAt + at);
    const writtenAt = 2 ** 21;
    for (let at = 0; at < 3 * AROUND_BYTES; at += pageBytes) bytes[windowAt + writtenAt + at] = 1;
    assert.deepEqual(look(address, sizeBytes), [
      pagesOf(0, AROUND_BYTES),
      pagesOf(writtenAt, writtenAt + 3 * AROUND_BYTES),
    ]);
    closeFd(fd);
  }
});

test('writtenPages() tells none where there are more ranges than are worth knowing', {
  skip: skip !== false || hasPagemapScan() ? skip : 'PAGEMAP_SCAN needs Linux 6.7',
}, () => {
  const pageBytes = pageSizeBytes();
  const most = 4096;
  const sizeBytes = Math.ceil((2 * (most + 1) * pageBytes) / WASM_PAGE_BYTES) * WASM_PAGE_BYTES;
  const { bytes, address, fd } = mapImage(sizeBytes);
  for (let range = 0; range < most; range++) bytes[2 * range * pageBytes] = 1;
  assert.equal(writtenPages(address, sizeBytes).length, most);
  bytes[2 * most * pageBytes] = 1;
  assert.deepEqual(writtenPages(address, sizeBytes), []);
  closeFd(fd);
});
