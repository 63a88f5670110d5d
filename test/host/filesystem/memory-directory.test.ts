import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { Descriptor, DirectoryEntry, Result } from '../../../host/filesystem/descriptor.ts';
import { mountMemory } from '../../../host/filesystem/memory-mount.ts';
import { resolveLimits } from '../../../host/limits.ts';
import { errnoName } from '../errno-name.ts';

/** A tree as a flat table: path of names to the contents of a file, or null for a directory. */
type Model = Map<string, string | null>;

type Step =
  | { readonly kind: 'mkdir' | 'rmdir' | 'unlink'; readonly path: string }
  | { readonly kind: 'write'; readonly path: string; readonly text: string }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string };

const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 }).map((names) => names.join('/'));
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('mkdir', 'rmdir', 'unlink'), path }),
  fc.record({ kind: fc.constant('write'), path, text: fc.string({ maxLength: 8 }) }),
  fc.record({ kind: fc.constant('rename'), path, to: path }),
);

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

/** What the walk to a path's last name says, by the model. */
function walkError(model: Model, path: string): string | undefined {
  const names = path.split('/').slice(0, -1);
  for (let i = 1; i <= names.length; i++) {
    const node = model.get(names.slice(0, i).join('/'));
    if (node === undefined) return 'noent';
    if (node !== null) return 'notdir';
  }
  return undefined;
}

function hasChildren(model: Model, path: string): boolean {
  return [...model.keys()].some((other) => parentOf(other) === path);
}

function applyToModel(model: Model, step: Step): string {
  const walked = walkError(model, step.path);
  if (walked !== undefined) return walked;
  const node = model.get(step.path);
  switch (step.kind) {
    case 'mkdir':
      if (node !== undefined) return 'exist';
      model.set(step.path, null);
      return 'success';
    case 'rmdir':
      if (node === undefined) return 'noent';
      if (node !== null) return 'notdir';
      if (hasChildren(model, step.path)) return 'notempty';
      model.delete(step.path);
      return 'success';
    case 'unlink':
      if (node === undefined) return 'noent';
      if (node === null) return 'isdir';
      model.delete(step.path);
      return 'success';
    case 'write':
      if (node === null) return 'isdir';
      model.set(step.path, step.text);
      return 'success';
    case 'rename':
    default:
      return renameInModel(model, step.path, step.to);
  }
}

function renameInModel(model: Model, from: string, to: string): string {
  const walked = walkError(model, to);
  if (walked !== undefined) return walked;
  const moved = model.get(from);
  const replaced = model.get(to);
  if (moved === undefined) return 'noent';
  if (moved === null && to.startsWith(`${from}/`)) return 'inval';
  if (from === to) return 'success';
  if (moved === null && replaced !== undefined && replaced !== null) return 'notdir';
  if (moved === null && replaced === null && hasChildren(model, to)) return 'notempty';
  if (moved !== null && replaced === null) return 'isdir';
  for (const [path, node] of Array.from(model)) {
    if (path !== from && !path.startsWith(`${from}/`)) continue;
    model.delete(path);
    model.set(to + path.slice(from.length), node);
  }
  return 'success';
}

function result(): Result {
  const stat = { dev: 0n, ino: 0n, filetype: 0, nlink: 0n, sizeBytes: 0n, atimNs: 0n, mtimNs: 0n, ctimNs: 0n };
  return { count: 0, offset: 0n, descriptor: undefined, bytes: new Uint8Array(0), stat };
}

function open(root: Descriptor, path: string, oflags: number, isForWriting: boolean): Descriptor | number {
  const out = result();
  const request = { path: Buffer.from(path), isFollowing: false, oflags, fdflags: 0, isForReading: true, isForWriting };
  return root.open(request, out) || (out.descriptor as Descriptor);
}

function applyToTree(root: Descriptor, step: Step): number {
  const bytes = Buffer.from(step.path);
  switch (step.kind) {
    case 'mkdir':
      return root.createDirectory(bytes);
    case 'rmdir':
      return root.removeDirectory(bytes);
    case 'unlink':
      return root.unlinkFile(bytes);
    case 'rename':
      return root.rename(bytes, root, Buffer.from(step.to));
    case 'write':
    default: {
      const file = open(root, step.path, 1 | 8, true);
      if (typeof file === 'number') return file;
      return file.write(Buffer.from(step.text), result()) || file.close();
    }
  }
}

/** The whole tree, read back through its descriptors. */
function readBack(directory: Descriptor, prefix = '', model: Model = new Map()): Model {
  const entries: DirectoryEntry[] = [];
  assert.equal(directory.readEntries(2n, entries, 1000), 0);
  for (const entry of entries) {
    const name = Buffer.from(entry.name).toString();
    const opened = open(directory, name, 0, false);
    assert.ok(typeof opened !== 'number');
    if (entry.filetype === 3) {
      model.set(prefix + name, null);
      readBack(opened, `${prefix + name}/`, model);
    } else {
      const out = result();
      const buffer = Buffer.alloc(100);
      assert.equal(opened.read(buffer, out), 0);
      model.set(prefix + name, buffer.toString('utf8', 0, out.count));
      opened.close();
    }
  }
  return model;
}

test('MemoryDirectory does what a flat table of paths does, step for step', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const mount = mountMemory({ guest: '/', files: {}, access: 'read-write' }, resolveLimits());
      const root = mount.open();
      const model: Model = new Map();
      for (const one of steps) {
        const expected = applyToModel(model, one);
        assert.equal(errnoName(applyToTree(root, one)), expected, JSON.stringify(one));
      }
      const sorted = (tree: Model): unknown => [...tree].toSorted(([a], [b]) => (a < b ? -1 : 1));
      assert.deepEqual(sorted(readBack(root)), sorted(model));
    }),
    { numRuns: 300 },
  );
});

test('MemoryDirectory: a file holds what a byte array holds after any writes, sizes and seeks', () => {
  const change = fc.oneof(
    fc.record({ kind: fc.constant('write' as const), at: fc.nat(200), bytes: fc.uint8Array({ maxLength: 80 }) }),
    fc.record({ kind: fc.constant('size' as const), at: fc.nat(300), bytes: fc.constant(new Uint8Array(0)) }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 50 }), fc.array(change, { maxLength: 30 }), (first, changes) => {
      const given = Uint8Array.from(first);
      const mount = mountMemory({ guest: '/', files: { f: first }, access: 'read-write' }, resolveLimits());
      const file = open(mount.open(), 'f', 0, true);
      assert.ok(typeof file !== 'number');
      let expected = Buffer.from(first);
      const out = result();
      for (const { kind, at, bytes } of changes) {
        const end = kind === 'size' ? at : bytes.length === 0 ? 0 : at + bytes.length;
        const next = Buffer.alloc(kind === 'size' ? end : Math.max(expected.length, end));
        expected.copy(next);
        if (bytes.length > 0) next.set(bytes, at);
        expected = next;
        assert.equal(kind === 'size' ? file.setSize(BigInt(at)) : file.pwrite(bytes, BigInt(at), out), 0);
        file.stat(out);
        assert.equal(out.stat.sizeBytes, BigInt(expected.length));
      }
      const reader = Buffer.alloc(expected.length + 10);
      file.seek(0n, 0, out);
      const again = open(mount.open(), 'f', 0, false);
      assert.ok(typeof again !== 'number');
      again.read(reader, out);
      assert.deepEqual(Buffer.from(reader.subarray(0, out.count)), Buffer.from(given), 'another tree is not touched');
      assert.deepEqual(contents(file, expected.length), expected);
    }),
    { numRuns: 300 },
  );
});

/** A file read from its start, its offset left alone. */
function contents(file: Descriptor, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  const out = result();
  assert.equal(file.pread(buffer, 0n, out), 0);
  return buffer.subarray(0, out.count);
}

test('MemoryDirectory: cookies give every entry once, in order, however many are asked for at a time', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 200 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (count, takes) => {
        const names = Array.from({ length: count }, (_, i) => `n${i}`);
        const files = Object.fromEntries(names.map((name) => [name, '']));
        const root = mountMemory({ guest: '/', files, access: 'read-only' }, resolveLimits()).open();
        const seen: string[] = [];
        for (let i = 0; ; i++) {
          const entries: DirectoryEntry[] = [];
          const take = takes[i % takes.length] as number;
          assert.equal(root.readEntries(BigInt(seen.length), entries, take), 0);
          assert.ok(entries.length <= take);
          if (entries.length === 0) break;
          seen.push(...entries.map((entry) => Buffer.from(entry.name).toString()));
        }
        assert.deepEqual(seen, ['.', '..', ...names]);
      },
    ),
  );
});
