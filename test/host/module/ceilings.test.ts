import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CEILINGS, refuseAbove, type CeilingName } from '../../../host/module/ceilings.ts';
import { readLayout } from '../../../host/module/layout.ts';
import { scanCode } from '../../../host/module/scan.ts';
import { bodyOf, HEADER, leb, moduleOf, section } from './binary-module.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..', '..');

const scan = (bytes: Uint8Array): void => void scanCode(readLayout(bytes));
const limitOf = (name: CeilingName): number => CEILINGS[name][0];
/** A type of so many parameters and as many results, all i32. */
const wide = (count: number): number[] => {
  const values = [...leb(count), ...Array<number>(count).fill(0x7f)];
  return [0x60, ...values, ...values];
};

/** A section that says it has so many entries, and ends there. */
const counted = (id: number) => (count: number) => new Uint8Array(Buffer.concat([HEADER, section(id, leb(count))]));

/** A module with `count` of what a ceiling bounds; those of counts end behind the count. */
const WITH: Partial<Record<CeilingName, (count: number) => Uint8Array>> = {
  types: counted(1),
  imports: counted(2),
  functions: counted(3),
  tables: counted(4),
  memories: counted(5),
  globals: counted(6),
  exports: counted(7),
  elementSegments: counted(9),
  dataSegments: counted(11),
  tags: counted(13),
  values: (count) => new Uint8Array(Buffer.concat([HEADER, section(1, [1, 0x60], leb(count))])),
  sections: (count) => new Uint8Array(Buffer.concat([HEADER, ...Array.from({ length: count }, () => section(0, [0]))])),
  elements: (count) => new Uint8Array(Buffer.concat([HEADER, section(9, [1, 0, 0x41, 0, 0x0b], leb(count))])),
  bodyBytes: (count) => moduleOf({ bodies: [bodyOf(0, [0x01], count - 2)] }),
  locals: (count) => moduleOf({ bodies: [bodyOf(count, [], 0)] }),
  allLocals: (count) =>
    moduleOf({ bodies: Array.from({ length: count / 10_000 + (count % 10_000) }, () => bodyOf(10_000, [], 0)) }),
  // The body itself is the outermost block.
  depth: (count) => moduleOf({ bodies: [nested(count - 1)] }),
  operands: (count) =>
    moduleOf({
      bodies: [
        Buffer.concat([bodyOf(0, [0x41, 0], count).subarray(0, -1), Buffer.alloc(count, 0x1a), Buffer.from([0x0b])]),
      ],
    }),
  tableEntries: (count) =>
    moduleOf({ bodies: [[0, 0x41, 0, 0x0e, ...leb(count), ...Array<number>(count + 1).fill(0), 0x0b]] }),
  loops: (count) => moduleOf({ bodies: [bodyOf(0, [0x03, 0x40, 0x0b], count)] }),
  calls: (count) => moduleOf({ bodies: [bodyOf(0, [0x10, 0], count)] }),
  // The end of the body is one, with its locals.
  merges: (count) => moduleOf({ bodies: [bodyOf(1000, [0x0c, 0], count / 1000 - 1)] }),
};

function nested(depth: number): Buffer {
  return Buffer.concat([
    bodyOf(0, [0x02, 0x40], depth).subarray(0, -1),
    Buffer.alloc(depth, 0x0b),
    Buffer.from([0x0b]),
  ]);
}

for (const [name, make] of Object.entries(WITH) as [CeilingName, (count: number) => Uint8Array][]) {
  test(`refuseAbove() refuses more than the limit of ${name}, and not the limit`, () => {
    const limit = limitOf(name);
    const step = name === 'merges' ? 1000 : 1;
    assert.throws(
      () => scan(make(limit + step)),
      ({ key, fields, message }: { key: string; fields: { got: number; limit: number }; message: string }) => {
        assert.equal(key, 'MODULE_COMPLEX');
        assert.equal(fields.limit, limit);
        assert.ok(fields.got > limit);
        assert.ok(message.includes(CEILINGS[name][1]), message);
        return true;
      },
    );
    try {
      scan(make(limit));
    } catch (error) {
      // Cut off behind the count.
      assert.equal((error as { key?: unknown }).key, 'MODULE_INVALID', String(error));
    }
  });
}

test('refuseAbove() bounds the values of all types together', () => {
  const type = Buffer.from(wide(500));
  const types = (count: number): Uint8Array =>
    new Uint8Array(Buffer.concat([HEADER, section(1, leb(count), ...Array.from({ length: count }, () => type))]));
  readLayout(types(limitOf('typeValues') / 1000));
  assert.throws(() => readLayout(types(limitOf('typeValues') / 1000 + 1)), { key: 'MODULE_COMPLEX' });
});

/** A body that puts operands on the stack, does something, and drops them. */
const stack = (count: number, more: Buffer): Buffer =>
  Buffer.concat([
    bodyOf(0, [0x41, 0], count).subarray(0, -1),
    more.subarray(1, -1),
    Buffer.alloc(count, 0x1a),
    Buffer.from([0x0b]),
  ]);

test('scanCode() refuses each form in which few bytes cost V8 gigabytes', () => {
  const branch = [0x02, 0x40, 0x41, 0, 0x0d, 0, 0x0b];
  const forms: Readonly<Record<string, Uint8Array>> = {
    'locals and branches': moduleOf({ bodies: [bodyOf(20_000, branch, 1000)] }),
    'locals and ifs': moduleOf({ bodies: [bodyOf(20_000, [0x41, 0, 0x04, 0x40, 0x05, 0x0b], 1000)] }),
    'operands and branches': moduleOf({ bodies: [stack(9000, bodyOf(0, branch, 1000))] }),
    'blocks of many values': moduleOf({ types: [wide(1000)], bodies: [stack(1000, bodyOf(0, [0x02, 1, 0x0b], 1000))] }),
    'loops of many values': moduleOf({ types: [wide(1000)], bodies: [stack(1000, bodyOf(0, [0x03, 1, 0x0b], 1000))] }),
    'try blocks': moduleOf({ bodies: [bodyOf(20_000, [0x06, 0x40, 0x19, 0x0b], 1000)] }),
  };
  for (const [form, bytes] of Object.entries(forms)) {
    assert.ok(bytes.length < 40_000, form);
    assert.throws(() => scan(bytes), { key: 'MODULE_COMPLEX' }, form);
  }
});

test('refuseAbove() names the function', () => {
  assert.throws(() => refuseAbove('loops', 2001, 7), {
    message: 'Cannot accept the module: function 7 has more loops than it may: 2001, the limit is 2000',
  });
});

test('docs/manifest.md lists every ceiling', () => {
  const text = readFileSync(join(ROOT, 'docs', 'manifest.md'), 'utf8');
  const part = text.slice(text.indexOf('## What a module may have'), text.indexOf('## Native programs'));
  const rows = [...part.matchAll(/^\|\s*([\d,]+) \| (.*?)(?:, of one function)? *\|$/gm)].map(
    ([, limit, words]) => `${limit} ${words}`,
  );
  const expected = Object.values(CEILINGS).map(([limit, words]) => `${limit.toLocaleString('en-US')} ${words}`);
  assert.deepEqual(rows, expected);
});
