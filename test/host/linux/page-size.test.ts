import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadLibc } from '../../../host/linux/libc.ts';
import { hugePageSizeBytes, pageSizeBytes } from '../../../host/linux/page-size.ts';

const HUGE_SIZE_FILE = '/sys/kernel/mm/transparent_hugepage/hpage_pmd_size';
const skip = loadLibc() === undefined ? 'there is no C library to ask' : false;

test('pageSizeBytes() is what the machine says', { skip }, () => {
  assert.equal(pageSizeBytes(), Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' })));
});

test('hugePageSizeBytes() is a page full of table entries, whatever the page', () => {
  assert.equal(hugePageSizeBytes(4096), 2 * 2 ** 20);
  assert.equal(hugePageSizeBytes(16_384), 32 * 2 ** 20);
  assert.equal(hugePageSizeBytes(65_536), 512 * 2 ** 20);
});

test('hugePageSizeBytes() is what the machine says, where it has huge pages', {
  skip: existsSync(HUGE_SIZE_FILE) ? skip : 'it has none',
}, () => {
  assert.equal(hugePageSizeBytes(), Number(readFileSync(HUGE_SIZE_FILE, 'utf8')));
});
