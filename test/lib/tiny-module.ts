/** Modules of a few bytes, made here so that tests of the registry need no built guest. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** The magic number and version 1. */
const HEADER = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

function section(id: number, ...content: readonly number[]): number[] {
  return [id, content.length, ...content];
}

function name(text: string): number[] {
  return [text.length, ...new TextEncoder().encode(text)];
}

/** A command that does nothing; another `tag` gives another digest. */
export function tinyModule(tag: string = ''): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([
    ...HEADER,
    ...section(1, 1, 0x60, 0, 0),
    ...section(3, 1, 0),
    ...section(5, 1, 0, 1),
    ...section(7, 2, ...name('memory'), 2, 0, ...name('_start'), 0, 0),
    ...section(10, 1, 2, 0, 0x0b),
    ...section(0, ...name('tag'), ...new TextEncoder().encode(tag)),
  ]);
}

/** A directory that is deleted after the test. */
export function temporaryDirectory(context: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'nebula-test-'));
  context.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
