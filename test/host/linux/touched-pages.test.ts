import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeFd, discardPages, hasCow, mapPrivate, memfdCreate, writeFd } from '../../../host/linux/memory.ts';
import { pageSizeBytes } from '../../../host/linux/page-size.ts';
import { rangesOfEntries, readEntries, touchedPages } from '../../../host/linux/touched-pages.ts';

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
