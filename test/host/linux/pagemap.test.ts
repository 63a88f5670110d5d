import assert from 'node:assert/strict';
import { test } from 'node:test';
import { closeFd, discardPages, hasCow, mapPrivate, memfdCreate, writeFd } from '../../../host/linux/memory.ts';
import { pageSizeBytes } from '../../../host/linux/page-size.ts';
import { hasPagemapScan, pagemapScan } from '../../../host/linux/pagemap.ts';

const PAGE = 65_536;
const skip = hasCow().ok && hasPagemapScan() ? false : 'PAGEMAP_SCAN needs Linux 6.7';

function mapImage(pages: number): { view: Uint8Array; address: number; fd: number } {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const fd = memfdCreate('test');
  writeFd(fd, new Uint8Array(pages * PAGE).fill(5), 0);
  return { address: mapPrivate(memory.buffer, pages * PAGE, fd), view: new Uint8Array(memory.buffer), fd };
}

test('pagemapScan() finds written pages, not read ones, and none after discardPages()', { skip }, () => {
  const { view, address, fd } = mapImage(16);
  const step = pageSizeBytes();
  const ranges = new Float64Array(64);
  assert.equal(pagemapScan(address, view.length, ranges), 0);
  assert.equal(view[step * 9], 5);
  view[step * 2] = 1;
  view[step * 3 + 7] = 1;
  view[view.length - 1] = 1;
  assert.equal(pagemapScan(address, view.length, ranges), 2);
  assert.deepEqual([...ranges.subarray(0, 4)], [step * 2, step * 4, view.length - step, view.length]);
  discardPages(address, view.length);
  assert.equal(pagemapScan(address, view.length, ranges), 0);
  closeFd(fd);
});

test('pagemapScan() goes on where one call of the kernel stops, and tells when the ranges do not fit', { skip }, () => {
  const { view, address, fd } = mapImage(256);
  const step = pageSizeBytes();
  const wanted: number[] = [];
  for (let at = 0; at < view.length; at += step * 2) {
    view[at] = 1;
    wanted.push(at, at + step);
  }
  const ranges = new Float64Array(wanted.length);
  assert.equal(pagemapScan(address, view.length, ranges), wanted.length / 2);
  assert.deepEqual([...ranges], wanted);
  assert.equal(pagemapScan(address, view.length, new Float64Array(wanted.length - 2)), -1);
  closeFd(fd);
});
