/**
 * How strings and lists go between a guest's memory and the host: what the glue calls in place of jco's own code
 * (prepare/glue/contract.ts). Source: component model, CanonicalABI.md, "Loading" and "Storing".
 */

import { STRICT_UTF8_DECODER, UTF8_ENCODER } from '../../bytes.ts';
import type { Ending } from '../../outcome.ts';
import type { HostTask, Lifts, LiftLower, Realloc } from '../prepare/glue/contract.ts';
import { activeHost, type Host } from '../world/host.ts';

/** What of a list or string the host keeps besides its content. */
const STRING_BYTES = 32;
const NUMBERS_BYTES = 200;
/** Where V8 ends: a string of more characters cannot be made. */
const LONGEST_STRING = 0x1fff_ffe8;

/** Source: jco, `T_FLAG` in the code it generates. */
const FREE = 0x4000_0000;

/** Resources that components may make for each other in one state: each is noted for good. */
const MOST_MADE = 1_000_000;

const UTF16 = new TextDecoder('utf-16le', { fatal: true, ignoreBOM: true });
/** Strings of the component model are of Unicode's scalar values, to which these do not belong. */
const LONE_SURROGATES = /\p{Surrogate}/gu;

const OUT_OF_BOUNDS = 'memory access out of bounds: a string or list does not lie in the memory';

function trap(host: Host, reason: (Ending & { kind: 'trap' })['reason'], message: string): Error {
  return host.stop({ kind: 'trap', reason, message });
}

/** Where `length` elements begin. @throws GuestStop where they are not in the memory */
function locate(memory: WebAssembly.Memory, pointer: number, length: number, sizeBytes: number): number {
  const start = pointer >>> 0;
  if (start + (length >>> 0) * sizeBytes > memory.buffer.byteLength)
    throw trap(activeHost(), 'memory-out-of-bounds', OUT_OF_BOUNDS);
  return start;
}

function decode(decoder: TextDecoder, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw trap(activeHost(), 'other', 'a string is not valid Unicode');
  }
}

/** Counts content, and what the host takes around it. */
type Account = (host: Host, aroundBytes: number, contentBytes: number) => void;

function liftsOf(count: Account): Lifts {
  const text = (
    decoder: TextDecoder,
    memory: WebAssembly.Memory,
    pointer: number,
    length: number,
    unit: 1 | 2,
  ): string => {
    const start = locate(memory, pointer, length, unit);
    const sizeBytes = (length >>> 0) * unit;
    count(activeHost(), STRING_BYTES, sizeBytes);
    if (sizeBytes > LONGEST_STRING) throw trap(activeHost(), 'other', 'a string is longer than the host can hold');
    return decode(decoder, new Uint8Array(memory.buffer, start, sizeBytes));
  };
  return Object.freeze<Lifts>({
    utf8: (memory, pointer, length) => text(STRICT_UTF8_DECODER, memory, pointer, length, 1),
    utf16: (memory, pointer, length) => text(UTF16, memory, pointer, length, 2),
    numbers(memory, pointer, length, sizeBytes) {
      const start = locate(memory, pointer, length, sizeBytes);
      const whole = (length >>> 0) * sizeBytes;
      count(activeHost(), NUMBERS_BYTES, whole);
      return memory.buffer.slice(start, start + whole);
    },
    list: (length, weightBytes) => count(activeHost(), (length >>> 0) * weightBytes, 0),
  });
}

/** New memory of the guest's, asked for also when nothing is to be in it: a guest may count on that. */
function allocate(realloc: Realloc, memory: WebAssembly.Memory, align: number, sizeBytes: number): number {
  const pointer = realloc(0, 0, align, sizeBytes) >>> 0;
  if (pointer % align !== 0) throw trap(activeHost(), 'other', 'realloc answered a pointer that is not aligned');
  return locate(memory, pointer, sizeBytes, 1);
}

function unknownHandle(): never {
  throw trap(activeHost(), 'other', 'a handle is of no resource');
}

function requireText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError(`expected a string, received [${typeof value}]`);
}

const TASK: HostTask = Object.freeze<HostTask>({
  enterSync() {},
  componentIdx: () => -1,
  id: () => 0,
  getParentSubtask: () => undefined,
  setErrored() {},
  reject() {},
  resolve() {},
  exit() {},
});

/** Frozen, since every glue of a thread has it. */
export const LIFT_LOWER_VALUES: LiftLower = Object.freeze<LiftLower>({
  argument: liftsOf((host, around, content) => host.values.countArgument(around + content)),
  result: liftsOf((host, around, content) => host.values.countResult(around, content)),
  lowerUtf8(text, realloc, memory) {
    const given = requireText(text);
    const len = Buffer.byteLength(given);
    const ptr = allocate(realloc, memory, 1, len);
    if (len > 0) UTF8_ENCODER.encodeInto(given, new Uint8Array(memory.buffer, ptr, len));
    return { ptr, len };
  },
  lowerUtf16(text, realloc, memory) {
    const given = requireText(text).replace(LONE_SURROGATES, '\ufffd');
    const sizeBytes = given.length * 2;
    const ptr = allocate(realloc, memory, 2, sizeBytes);
    if (sizeBytes > 0) Buffer.from(memory.buffer, ptr, sizeBytes).write(given, 'utf16le');
    return { ptr, len: given.length };
  },
  bytesOf(value, sizeBytes) {
    const bytes = ArrayBuffer.isView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : new Uint8Array(value);
    if (bytes.length === sizeBytes) return bytes;
    throw new TypeError(`expected a list of ${sizeBytes} bytes, got one of ${bytes.length}`);
  },
  isSplit: () => activeHost().splitter !== undefined,
  split: (call, conclude) => activeHost().splitter?.(call, conclude),
  task: TASK,
  begin: () => activeHost().values.beginArguments(),
  unknownHandle,
  requireHandle(table, handle) {
    // The scope of a free one has the flag.
    const at = handle * 2;
    const [scope, representation] = [table[at], table[at + 1]];
    const isTaken = handle > 0 && typeof scope === 'number' && (scope & FREE) === 0 && Boolean(representation);
    if (!isTaken) unknownHandle();
  },
  countHandle(table) {
    const host = activeHost();
    const allowed = host.options.limits.resources;
    const hasFree = (Number(table[0]) & ~FREE) !== 0;
    const isFull = !hasFree && table.length >= 2 * (allowed + 1);
    if (isFull || (table._createdReps?.size ?? 0) > MOST_MADE)
      throw host.stop({ kind: 'limit', limit: 'resources', allowed });
  },
  trap: (message) => trap(activeHost(), 'other', message),
});

/**
 * The trap behind what the glue threw when it read or wrote outside of the guest's memory, at an address that the guest
 * gave; undefined for everything else.
 */
export function trapOfAccess(thrown: unknown): (Ending & { kind: 'trap' }) | undefined {
  if (!(thrown instanceof RangeError) || !/outside the bounds|typed array length/.test(thrown.message))
    return undefined;
  return { kind: 'trap', reason: 'memory-out-of-bounds', message: OUT_OF_BOUNDS };
}
