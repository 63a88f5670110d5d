/**
 * A snapshot as a file. All numbers are little-endian.
 *
 *     magic "NEBSNAP\0" | version u32 | module digest 32 bytes | memory size u64
 *     runs    u32 count, each: offset u64, size u32, bytes (ascending, apart, of whole grains of 4 KiB)
 *     globals u32 count, each: index u32, kind u8, value (i32 u32 | i64 u64 | bits u8 lanes + u64 each | reference i32)
 *     tables  u32 count, each: index u32, size u32, elements i32 (-1 is null)
 *     dropped u32 count, each: kind u8 (0 data, 1 element), index u32
 *     SHA-256 of all before it
 */

import { createHash } from 'node:crypto';
import { UTF8_ENCODER } from '../bytes.ts';
import { NebulaError } from '../errors.ts';
import { GRAIN_BYTES, type GlobalState, type PageRun, type Snapshot } from './snapshot.ts';
import { MOST_WASM_PAGES, WASM_PAGE_BYTES } from '../wasm-page.ts';

const MAGIC = UTF8_ENCODER.encode('NEBSNAP\0');
/** Version of the format, which a file begins with. */
export const SNAPSHOT_VERSION = 1;
const CHECKSUM_BYTES = 32;
const KINDS = ['i32', 'i64', 'bits', 'reference'] as const;
const SEGMENTS = ['data', 'element'] as const;
/** Lanes of 64 bits in the widest global, a v128. */
const MOST_LANES = 2;

/** A snapshot as the bytes of a file. */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  const parts: Uint8Array[] = [
    MAGIC,
    u32(SNAPSHOT_VERSION),
    Buffer.from(snapshot.digest, 'hex'),
    u64(snapshot.memoryBytes),
  ];
  parts.push(u32(snapshot.runs.length));
  for (const run of snapshot.runs) parts.push(u64(run.offset), u32(run.bytes.length), run.bytes);
  parts.push(u32(snapshot.globals.length));
  for (const global of snapshot.globals) parts.push(u32(global.index), encodeGlobal(global));
  parts.push(u32(snapshot.tables.length));
  for (const { index, elements } of snapshot.tables) {
    parts.push(u32(index), u32(elements.length), encodeElements(elements));
  }
  parts.push(u32(snapshot.dropped.length));
  for (const { kind, index } of snapshot.dropped) parts.push(Uint8Array.of(SEGMENTS.indexOf(kind)), u32(index));
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return new Uint8Array(Buffer.concat([...parts, hash.digest()]));
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

function u64(value: number | bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
  return bytes;
}

function encodeElements(elements: readonly (number | null)[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(elements.length * 4));
  elements.forEach((element, at) => view.setInt32(at * 4, element ?? -1, true));
  return new Uint8Array(view.buffer);
}

function encodeGlobal(global: GlobalState): Uint8Array {
  const kind = Uint8Array.of(KINDS.indexOf(global.kind));
  switch (global.kind) {
    case 'i32':
      return Buffer.concat([kind, u32(global.value)]);
    case 'i64':
      return Buffer.concat([kind, u64(global.value)]);
    case 'bits':
      return Buffer.concat([kind, Uint8Array.of(global.lanes.length), ...global.lanes.map(u64)]);
    case 'reference':
      return Buffer.concat([kind, u32(global.functionIndex ?? -1)]);
    default:
      return global satisfies never;
  }
}

/**
 * Reads what `encodeSnapshot` wrote.
 * @throws NebulaError SNAPSHOT_CORRUPT, SNAPSHOT_VERSION
 */
export function decodeSnapshot(file: Uint8Array): Snapshot {
  const reader = new SnapshotReader(file);
  reader.checkHeader();
  const digest = Buffer.from(reader.bytes(32)).toString('hex');
  const memoryBytes = reader.u64();
  if (memoryBytes % WASM_PAGE_BYTES !== 0 || memoryBytes > MOST_WASM_PAGES * WASM_PAGE_BYTES)
    reader.fail(`a memory of ${memoryBytes} bytes`);
  let end = 0;
  const runs = reader.list(() => {
    const run = reader.run();
    if (run.offset < end) reader.fail(`a run at ${run.offset}, before the end of the last at ${end}`);
    end = run.offset + run.bytes.length;
    if (end > memoryBytes) reader.fail(`a run that ends at ${end}, behind the memory's end`);
    return run;
  });
  const globals = reader.list(() => reader.global());
  const tables = reader.list(() => ({ index: reader.u32(), elements: reader.list(() => reader.reference()) }));
  const dropped = reader.list(() => ({ kind: reader.oneOf(SEGMENTS), index: reader.u32() }));
  reader.checkEnd();
  return { digest, memoryBytes, runs, globals, tables, dropped };
}

class SnapshotReader {
  readonly #file: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  #offset = 0;

  constructor(file: Uint8Array) {
    this.#file = file;
    this.#view = new DataView(file.buffer, file.byteOffset, file.byteLength);
    this.#end = Math.max(0, file.length - CHECKSUM_BYTES);
  }

  fail(detail: string): never {
    throw new NebulaError('SNAPSHOT_CORRUPT', { detail: `${detail}, near byte ${this.#offset}` });
  }

  /** Magic and version first, so that another format is named as such; then the checksum, before anything is believed. */
  checkHeader(): void {
    const magic = this.bytes(MAGIC.length);
    if (!magic.every((byte, at) => byte === MAGIC[at])) this.fail('this is no snapshot: the magic bytes are missing');
    const version = this.u32();
    if (version !== SNAPSHOT_VERSION) {
      throw new NebulaError('SNAPSHOT_VERSION', { expected: SNAPSHOT_VERSION, got: version });
    }
    const hash = createHash('sha256').update(this.#file.subarray(0, this.#end)).digest();
    if (hash.compare(this.#file, this.#end) !== 0) this.fail('the checksum is wrong');
  }

  checkEnd(): void {
    if (this.#offset !== this.#end) this.fail(`${this.#end - this.#offset} bytes too many`);
  }

  bytes(count: number): Uint8Array {
    const from = this.#offset;
    if (from + count > this.#end) this.fail('the file is cut off');
    this.#offset = from + count;
    return this.#file.subarray(from, from + count);
  }

  u8(): number {
    return this.bytes(1)[0] as number;
  }

  u32(): number {
    this.bytes(4);
    return this.#view.getUint32(this.#offset - 4, true);
  }

  bits(): bigint {
    this.bytes(8);
    return this.#view.getBigUint64(this.#offset - 8, true);
  }

  u64(): number {
    const value = Number(this.bits());
    return Number.isSafeInteger(value) ? value : this.fail('a size beyond all bounds');
  }

  list<T>(read: () => T): T[] {
    const items: T[] = [];
    for (let left = this.u32(); left > 0; left--) items.push(read());
    return items;
  }

  oneOf<T>(values: readonly T[]): T {
    return values[this.u8()] ?? this.fail('an unknown kind');
  }

  run(): PageRun {
    const offset = this.u64();
    const source = this.bytes(this.u32());
    if (offset % GRAIN_BYTES !== 0 || source.length % GRAIN_BYTES !== 0) this.fail('a run that is not whole grains');
    const bytes = new Uint8Array(new SharedArrayBuffer(source.length));
    bytes.set(source);
    return { offset, bytes };
  }

  reference(): number | null {
    const value = this.u32() | 0;
    return value < 0 ? null : value;
  }

  global(): GlobalState {
    const index = this.u32();
    const kind = this.oneOf(KINDS);
    if (kind === 'i32') return { index, kind, value: this.u32() | 0 };
    if (kind === 'i64') return { index, kind, value: BigInt.asIntN(64, this.bits()) };
    if (kind === 'reference') return { index, kind, functionIndex: this.reference() };
    const count = this.u8();
    if (count < 1 || count > MOST_LANES) this.fail(`a global of ${count} lanes`);
    const lanes = Array.from({ length: count }, () => BigInt.asIntN(64, this.bits()));
    return { index, kind, lanes };
  }
}
