/** A recording that Jetperch's own library wrote (joulescope-jls.c), with blocks of the input left out as it does. */

import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { PowerIntegral } from '../../../hardware/analysis/integral.ts';
import { importJls } from '../../../hardware/logger/joulescope-jls.ts';
import { formatOf, openLog } from '../../../hardware/logger/open-log.ts';

const KEPT = join(import.meta.dirname, '../../../../test/hardware/logger/joulescope.jls.gz');

let folder: string;
let bytes: Buffer;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nebula-jls-'));
  bytes = gunzipSync(await readFile(KEPT));
});
after(() => rm(folder, { recursive: true }));

async function write(name: string, content: Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

const RATE_HZ = 2000;

test('openLog(joulescope-jls) reads mean power and every edge of the input, also where blocks were left out', async () => {
  const path = await write('a.jls', bytes);
  assert.equal(await formatOf(path), 'joulescope-jls');
  const { trace, lines, counts } = await openLog({ path, format: 'joulescope-jls' });
  assert.deepEqual([trace.rule, trace.clock, counts.malformed, counts.lost], ['average', 'logger', 0, 0]);
  const edges = lines.get('GPI0') ?? [];
  assert.deepEqual(
    edges.map(({ timeS, level }) => [Math.round((timeS * RATE_HZ + 0.5) * 1e6) / 1e6, level]),
    [
      [2000, 1],
      [4000, 0],
      [6144, 1],
      [7168, 0],
    ],
  );
  const integral = new PowerIntegral(trace);
  // 2 W, and 6.7 W from 1 s to 2 s and from 3.072 s to 3.584 s, with a ripple whose mean is 0.
  for (const [fromS, toS, energyJ] of [
    [0.096, 0.996, 1.8],
    [1.2, 1.8, 4.02],
    [0.5, 2.5, 2 + 6.7],
    [3, 3.7, 2 * 0.188 + 6.7 * 0.512],
  ] as const) {
    const over = integral.over(fromS, toS);
    assert.ok(Math.abs(over.energyJ - energyJ) < 0.03 && over.uncoveredS === 0, `${over.energyJ} J of ${energyJ} J`);
  }
});

test('openLog(joulescope-jls) reads what there is of a file that was cut, and says so', async () => {
  const path = await write('cut.jls', bytes.subarray(0, bytes.length - 3000));
  const { counts, trace } = await openLog({ path, format: 'joulescope-jls' });
  assert.equal(counts.malformed, 1);
  assert.ok(trace.timeS.length > 100);
});

test('openLog(joulescope-jls) takes no zeros behind the chunks for chunks', async () => {
  const path = await write('zeros.jls', Buffer.concat([bytes, Buffer.alloc(64)]));
  const { counts } = await openLog({ path, format: 'joulescope-jls' });
  assert.equal(counts.malformed, 1);
  assert.match(counts.firstMalformed ?? '', /64 bytes that are no whole chunk/);
});

test('importJls() refuses a definition that ends before its texts', async () => {
  for (const [tag, what] of [
    [0x01, 'source'],
    [0x02, 'signal'],
  ] as const) {
    for (const length of [8, 17, 40]) {
      const chunk = Buffer.alloc(32 + Math.ceil((length + 4) / 8) * 8);
      chunk.writeUInt8(tag, 16);
      chunk.writeUInt32LE(length, 20);
      const path = await write('short.jls', Buffer.concat([bytes, chunk]));
      const message = new RegExp(`definition of a ${what}, got "${length}"`);
      await assert.rejects(importJls(path, {}), { key: 'LOG_FORMAT', message });
    }
  }
});

test('openLog(joulescope-jls) refuses what it is not, options it has no use for and an instrument that is not there', async () => {
  const old = await write('old.jls', Buffer.from('d374616766 6d742020'.replace(' ', ''), 'hex'));
  await assert.rejects(openLog({ path: old, format: 'joulescope-jls' }), { key: 'LOG_FORMAT', message: /version 2/ });
  const path = await write('b.jls', bytes);
  await assert.rejects(openLog({ path, format: 'joulescope-jls', vddV: 5 }), { key: 'ARGUMENT', message: /no use/ });
  const other = { path, format: 'joulescope-jls', channel: 'JS220-9' };
  await assert.rejects(openLog(other), { key: 'LOG_FORMAT', message: /JS220-001122/ });
  assert.ok((await openLog({ ...other, channel: 'JS220-001122' })).trace.timeS.length > 100);
});

test('openLog(joulescope-jls) ends any damage with a typed error or a log', async () => {
  for (let at = 0; at < bytes.length; at += 331) {
    const damaged = Buffer.from(bytes);
    damaged[at] = (damaged[at] as number) ^ 0xff;
    const path = await write('damaged.jls', damaged);
    await openLog({ path, format: 'joulescope-jls' }).catch((error: { code?: string; message: string }) => {
      assert.match(error.code ?? error.message, /^ERR_NEBULA_HARDWARE_/, `byte ${at}`);
    });
  }
});
