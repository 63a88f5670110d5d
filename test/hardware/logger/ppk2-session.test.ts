import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { crc32, deflateRawSync } from 'node:zlib';
import { MAX_EDGES } from '../../../hardware/logger/digital-line.ts';
import { importPpk2 } from '../../../hardware/logger/ppk2-session.ts';

/** A zip of deflated entries (APPNOTE 6.3.10, 4.3). */
function zipOf(entries: Readonly<Record<string, Buffer>>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(entries)) {
    const packed = deflateRawSync(content);
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(20, 0);
    shared.writeUInt16LE(8, 4);
    shared.writeUInt32LE(crc32(content), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(content.length, 18);
    shared.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), shared, Buffer.from(name), packed]);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), shared, tail, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(central.length, 8);
  end.writeUInt16LE(central.length, 10);
  end.writeUInt32LE(directory.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...locals, directory, end]);
}

function frame(currentUa: number, bits: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeFloatLE(currentUa, 0);
  bytes.writeUInt16BE(bits, 4);
  return bytes;
}

function fileOf(context: TestContext, content: Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-ppk2-'));
  context.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'session.ppk2');
  writeFileSync(path, content);
  return path;
}

const METADATA = Buffer.from(
  '{"metadata":{"samplesPerSecond":1000,"startSystemTime":1700000000000},"formatVersion":2}',
);
const LOW = 0x5555;
const D0_HIGH = 0x5556;

test('importPpk2() reads frames, inputs, lost samples and a frame cut short', async (context) => {
  const frames = [frame(1e6, LOW), frame(2e6, D0_HIGH), frame(Number.NaN, 0), frame(2e6, D0_HIGH), frame(1e6, LOW)];
  const session = Buffer.concat([...frames, Buffer.alloc(3)]);
  const path = fileOf(
    context,
    zipOf({ 'session.raw': session, 'metadata.json': METADATA, 'minimap.raw': Buffer.from('{}') }),
  );
  const log = await importPpk2(path, { vddV: 5 });
  assert.deepEqual([...log.trace.timeS], [0, 0.001, 0.003, 0.004]);
  assert.deepEqual([...log.trace.value], [5, 10, 10, 5]);
  assert.deepEqual(log.trace.breaks, [1]);
  assert.deepEqual([log.counts.lost, log.counts.malformed], [1, 1]);
  assert.deepEqual(
    log.lines.get('D0')?.map(({ timeS, level }) => [timeS, level]),
    [
      [0.0005, 1],
      [0.0035, 0],
    ],
  );
  assert.equal(log.lines.get('D1')?.length, 0);
});

test('importPpk2() refuses what is no session, and a session without a voltage', async (context) => {
  const session = frame(1, LOW);
  await assert.rejects(importPpk2(fileOf(context, Buffer.from('no zip')), { vddV: 5 }), { key: 'LOG_FORMAT' });
  await assert.rejects(importPpk2('/nonexistent', { vddV: 5 }), { key: 'LOG_FORMAT' });
  for (const entries of [
    { 'session.raw': session },
    { 'metadata.json': METADATA },
    { 'session.raw': session, 'metadata.json': Buffer.from('{') },
    { 'session.raw': session, 'metadata.json': Buffer.from('{"metadata":{}}') },
  ]) {
    await assert.rejects(importPpk2(fileOf(context, zipOf(entries)), { vddV: 5 }), { key: 'LOG_FORMAT' });
  }
  const whole = fileOf(context, zipOf({ 'session.raw': session, 'metadata.json': METADATA }));
  await assert.rejects(importPpk2(whole, {}), { key: 'LOG_VOLTAGE' });
  await assert.rejects(importPpk2(whole, { vddV: 5 }), { key: 'TRACE_INVALID' });
});

test('importPpk2() refuses a session that a few bytes fill with edges, or with metadata', async (context) => {
  const session = Buffer.alloc(6 * (MAX_EDGES / 8 + 2));
  for (let index = 0; 6 * index < session.length; index++) {
    session.writeFloatLE(1, 6 * index);
    session.writeUInt16BE(index % 2 === 0 ? LOW : 0xaaaa, 6 * index + 4);
  }
  const most = session.subarray(0, -6);
  const read = (content: Buffer, metadata = METADATA) =>
    importPpk2(fileOf(context, zipOf({ 'session.raw': content, 'metadata.json': metadata })), { vddV: 5 });
  assert.equal((await read(most)).lines.get('D7')?.length, MAX_EDGES / 8);
  await assert.rejects(read(session), { key: 'TRACE_INVALID', message: /at most 2097152 edges/ });
  const long = Buffer.concat([METADATA, Buffer.alloc(1 << 20, ' ')]);
  await assert.rejects(read(most, long), { key: 'LOG_FORMAT', message: /1048576 bytes of metadata\.json/ });
  const endless = Buffer.from('{"metadata":{"samplesPerSecond":1e999}}');
  await assert.rejects(read(most, endless), { key: 'LOG_FORMAT', message: /samplesPerSecond/ });
});
