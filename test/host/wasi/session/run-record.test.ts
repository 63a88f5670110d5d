/** What is known of a run from outside its thread, also while the thread goes on writing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RUN } from '../../../../host/wasi/session/stop-cell.ts';
import { MOST_RUN, type StreamBuffer } from '../../../../host/wasi/session/record-layout.ts';
import { RunReader, type Recorded } from '../../../../host/wasi/session/run-reader.ts';
import { RunRecord } from '../../../../host/wasi/session/run-record.ts';

const FIRST_BYTES = 16_384;
const EARLIER = 'e'.charCodeAt(0);
const LATER = 'l'.charCodeAt(0);

/** Both ends of a record, and what was announced and not heard yet. */
class Ends {
  readonly reader: RunReader = new RunReader();
  readonly announced: StreamBuffer[] = [];
  readonly record: RunRecord = new RunRecord(this.reader.shared, (buffer) => this.announced.push(buffer));

  /** Writes so many bytes to stdout as a run of its own, and announces the buffers it takes. */
  write(run: number, byte: number, sizes: readonly number[]): void {
    let bytes = this.record.stdout.begin();
    this.record.stderr.begin();
    this.record.run = run;
    this.record.begin();
    let lengthBytes = 0;
    for (const sizeBytes of sizes) {
      const end = lengthBytes + sizeBytes;
      if (end > bytes.length) bytes = this.record.stdout.grow(lengthBytes, end);
      bytes.fill(byte, lengthBytes, end);
      this.record.stdout.written(end);
      lengthBytes = end;
    }
  }

  hear(): void {
    for (const buffer of this.announced.splice(0)) this.reader.add(buffer);
  }

  read(run: number, listen: () => void = () => this.hear()): Recorded | undefined {
    return this.reader.read(run, listen);
  }
}

const text = (recorded: Recorded | undefined): string => Buffer.from(recorded?.stdout ?? []).toString();

test('RunReader.read() has what was written to a buffer that is announced while it reads', () => {
  const ends = new Ends();
  ends.write(1, LATER, [FIRST_BYTES, 1, FIRST_BYTES]);
  assert.equal(text(ends.read(1)), 'l'.repeat(2 * FIRST_BYTES + 1));
});

test('RunReader.read() has a prefix when the stream outgrows its buffer meanwhile', () => {
  const ends = new Ends();
  ends.write(1, LATER, [100, FIRST_BYTES]);
  const recorded = ends.read(1, () => {
    ends.record.stdout.grow(FIRST_BYTES + 100, 3 * FIRST_BYTES);
    ends.hear();
  });
  assert.equal(text(recorded), 'l'.repeat(FIRST_BYTES + 100));
});

test('RunReader.read() tells nothing of what an earlier run wrote', () => {
  const ends = new Ends();
  ends.write(1, EARLIER, [100]);
  ends.write(2, LATER, [FIRST_BYTES, FIRST_BYTES]);
  assert.equal(text(ends.read(2, () => undefined)), '');
  ends.hear();
  ends.write(3, LATER, [10, 4 * FIRST_BYTES]);
  assert.equal(text(ends.read(3, () => undefined)), '');
  assert.equal(ends.read(2), undefined);
});

test('RunReader.read() tells nothing of the run that began while it read', () => {
  const ends = new Ends();
  ends.write(1, EARLIER, [100]);
  let heard = 0;
  const recorded = ends.read(1, () => {
    if (heard++ === 0) ends.write(2, LATER, [100]);
  });
  assert.deepEqual([recorded, heard], [undefined, 2]);
});

function begin(record: RunRecord, run: number): void {
  record.run = run;
  record.begin();
}

test('RunReader.drop() leaves the guest that has the record by the time it looks', (context) => {
  const { reader, record } = new Ends();
  begin(record, 1);
  record.suspend(7);
  const { load } = Atomics;
  context.mock.method(Atomics, 'load', (cells: Int32Array, index: number) => {
    const value = load(cells, index);
    if (record.run === 1) {
      begin(record, 2);
      record.suspend(7);
    }
    return value;
  });
  const isDropped = reader.drop(1);
  if (record.run === 1) assert.equal(isDropped, true, 'it was still its own');
  else assert.equal(record.resume(), true, 'the next guest goes on');
});

test('RunRecord is told to stop while its guest runs, which is then not suspended, and says when it has ended', () => {
  const { reader, record } = new Ends();
  for (const run of [1, MOST_RUN]) {
    begin(record, run);
    assert.equal(record.suspend(7), true);
    assert.equal(reader.tellToStop(run, true), false, 'it is suspended');
    assert.equal(record.resume(), true);
    assert.equal(reader.tellToStop(run, true), true);
    assert.equal(reader.tellToStop(run, false), true, 'it is told already');
    assert.equal(record.told, RUN.aborted);
    assert.equal(record.suspend(7), false);
    assert.equal(reader.drop(run), false);
    assert.equal(record.resume(), true);
    assert.equal(reader.hasEnded(run), false);
    record.end();
    assert.deepEqual([reader.hasEnded(run), reader.isOf(run), reader.isOf(run - 1)], [true, true, false]);
    assert.equal(reader.tellToStop(run, true), false);
  }
});
