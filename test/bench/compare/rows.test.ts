import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { readRows, RowWriter, toCsv, type Row } from '../../../bench/compare/rows.ts';
import { madeUpRows } from './run.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nebula-rows-'));
});
after(() => rm(folder, { recursive: true }));

test('readRows() reads what RowWriter wrote', async () => {
  const path = join(folder, 'rows.ndjson');
  const writer = new RowWriter(path);
  const rows = madeUpRows();
  for (const row of rows) writer.write([row]);
  await writer.close();
  assert.equal(writer.count, rows.length);
  assert.deepEqual(await readRows(path), rows);
});

test('readRows() reads rows that were compressed since', async () => {
  const path = join(folder, 'kept.ndjson.gz');
  const rows = madeUpRows();
  await writeFile(path, gzipSync(rows.map((row) => `${JSON.stringify(row)}\n`).join('')));
  assert.deepEqual(await readRows(path), rows);
});

test('RowWriter tells on close that it could not write', async () => {
  const writer = new RowWriter(join(folder, 'none', 'rows.ndjson'));
  await assert.rejects(writer.close(), { code: 'ENOENT' });
});

for (const [what, line] of [
  ['what is no JSON', '{"target":'],
  ['a row without a time', '{"run":"r","block":0,"call":1,"target":"a","phase":"total","outcome":"ok"}'],
  ['a row whose time is no number', '{"block":0,"call":1,"target":"a","phase":"total","outcome":"ok","ns":"1"}'],
] as const) {
  test(`readRows() names the line of ${what}`, async () => {
    const path = join(folder, 'broken.ndjson');
    const [row] = madeUpRows();
    await writeFile(path, `${JSON.stringify(row)}\n${line}\n`);
    await assert.rejects(readRows(path), /broken\.ndjson:2: expected/);
  });
}

test('toCsv() quotes what holds commas, quotes and line breaks', () => {
  const row: Row = {
    run: 'r',
    block: 0,
    call: 1,
    target: 'process',
    function: 'noop',
    input: 'small',
    phase: 'total',
    ns: 5,
    outcome: 'failed',
    reason: 'it said "no",\nand left',
  };
  assert.equal(
    toCsv([row]),
    'run,block,call,target,function,input,phase,ns,outcome,warmUp,reason\r\n' +
      'r,0,1,process,noop,small,total,5,failed,,"it said ""no"",\nand left"\r\n',
  );
});
