import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instrument } from '../../../host/module/instrument.ts';
import { readLayout } from '../../../host/module/layout.ts';
import { scanCode } from '../../../host/module/scan.ts';
import { bodyOf, leb, moduleOf, section } from './binary-module.ts';

const CAPS = { memoryPages: 100, tableElements: 1000, isShared: false, isSized: true };

const entries = (id: number, count: number, entry: readonly number[]): Buffer =>
  section(id, leb(count), Buffer.alloc(entry.length * count, Buffer.from(entry)));

/** Modules whose size grows with `count`, each by another part. */
const FORMS: Readonly<Record<string, (count: number) => Uint8Array>> = {
  functions: (count) => moduleOf({ bodies: Array.from({ length: count }, () => [0, 0x0b]) }),
  'places to rewrite': (count) => moduleOf({ bodies: [bodyOf(0, [0x41, 0, 0x41, 0, 0x41, 0, 0xfc, 11, 0], count)] }),
  'functions to rewrite': (count) =>
    moduleOf({ bodies: Array.from({ length: count }, () => bodyOf(0, [0x41, 0, 0x40, 0, 0x1a], 1)) }),
  'mutable globals': (count) => moduleOf({ bodies: [[0, 0x0b]], globals: entries(6, count, [0x7f, 1, 0x41, 0, 0x0b]) }),
  'globals by bits': (count) =>
    moduleOf({ bodies: [[0, 0x0b]], globals: entries(6, count, [0x7d, 1, 0x43, 0, 0, 0, 0, 0x0b]) }),
  types: (count) =>
    moduleOf({ types: Array.from({ length: count }, () => [0x60, 1, 0x7f, 1, 0x7e]), bodies: [[0, 0x0b]] }),
  blocks: (count) => moduleOf({ bodies: [bodyOf(0, [0x02, 0x40, 0x0b], count)] }),
  vectors: (count) => moduleOf({ bodies: [bodyOf(0, [0xfd, 12, ...Array<number>(16).fill(0), 0x1a], count)] }),
};

/** CPU time of the fastest of some, so that what else the machine does, and V8's collector, count for little. */
function costOf(bytes: Uint8Array): number {
  const costs = Array.from({ length: 6 }, () => {
    const before = process.cpuUsage();
    const layout = readLayout(bytes);
    instrument(layout, scanCode(layout), CAPS);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  return Math.min(...costs);
}

const FEW = 5000;
const FACTOR = 8;

for (const [form, make] of Object.entries(FORMS)) {
  test(`scanCode() and instrument() take time in proportion to the ${form}`, () => {
    costOf(make(FEW));
    const ratio = costOf(make(FEW * FACTOR)) / Math.max(costOf(make(FEW)), 1000);
    // In proportion it is the factor, 8; squared it would be its square, 64.
    assert.ok(ratio < FACTOR * 6, `${FACTOR} times as many took ${ratio} times as long`);
  });
}
