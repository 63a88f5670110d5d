/** What is known of a run from outside its thread, also while the thread goes on writing. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunReader, RunRecord, type Recorded, type StreamBuffer } from '../../../../host/wasi/session/run-record.ts';

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
