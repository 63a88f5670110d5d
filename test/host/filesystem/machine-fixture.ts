/** A directory of the machine for one test, mounted through each resolver. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Descriptor, DirectoryEntry, OpenRequest, Result } from '../../../host/filesystem/descriptor.ts';
import { mountMachine } from '../../../host/filesystem/machine-mount.ts';
import { loadLibc } from '../../../host/linux/libc.ts';
import { errnoName } from '../errno-name.ts';
import { OFLAG } from '../../../host/wasi/flags.ts';

export const skip: string | false = loadLibc() === undefined ? 'machine directories need Linux' : false;

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (from: Uint8Array): string => new TextDecoder().decode(from);

export function createResult(): Result {
  const stat = { dev: 0n, ino: 0n, filetype: 0, nlink: 0n, sizeBytes: 0n, atimNs: 0n, mtimNs: 0n, ctimNs: 0n };
  return { count: 0, offset: 0n, descriptor: undefined, stat, bytes: new Uint8Array(0) };
}

export type Asked = Partial<Omit<OpenRequest, 'path'>> & { readonly create?: boolean };

/** A mounted directory and short ways to call it. Errno are answered by name, which makes failures readable. */
export interface Guest {
  /** Path of the mount on the machine; beside it lies `outside`, with a file `secret`. */
  readonly path: string;
  readonly outside: string;
  readonly root: Descriptor;
  /** The errno's name, or the descriptor. */
  readonly open: (path: string | Uint8Array, asked?: Asked, from?: Descriptor) => Descriptor | string;
  /** The same, with the errno's name or `success`; what was opened is closed. */
  readonly tryOpen: (path: string, asked?: Asked) => string;
  readonly file: (path: string, asked?: Asked) => Descriptor;
  readonly read: (path: string) => string;
  readonly write: (path: string, contents: string) => void;
}

export interface GuestOptions {
  readonly resolver: 'kernel' | 'walk';
  readonly access?: 'read-only' | 'read-write';
}

export function withGuest(options: GuestOptions, act: (guest: Guest) => void | Promise<void>): () => Promise<void> {
  return async () => {
    const base = mkdtempSync(join(tmpdir(), 'nebula-machine-'));
    const path = join(base, 'mount');
    const outside = join(base, 'outside');
    mkdirSync(path);
    mkdirSync(outside);
    writeFileSync(join(outside, 'secret'), 'secret');
    const before = countFds(base);
    const mounted = mountMachine({ guest: '/data', machine: path, access: options.access ?? 'read-write' }, options);
    try {
      await act(createGuest(path, outside, mounted.open()));
      mounted.close();
      assert.equal(countFds(base), before, 'fds left open');
    } finally {
      mounted.close();
      rmSync(base, { recursive: true, force: true });
    }
  };
}

/** Fds of this process that lead into a directory. */
export function countFds(base: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(base);
    } catch {
      return false;
    }
  }).length;
}

function createGuest(path: string, outside: string, root: Descriptor): Guest {
  const result = createResult();
  const open: Guest['open'] = (at, asked = {}, from = root) => {
    const { create = false, ...rest } = asked;
    const request = {
      path: typeof at === 'string' ? bytes(at) : at,
      isFollowing: true,
      oflags: create ? OFLAG.creat : 0,
      fdflags: 0,
      isForReading: true,
      isForWriting: create,
      ...rest,
    };
    result.descriptor = undefined;
    const errno = from.open(request, result);
    return errno === 0 ? (result.descriptor as unknown as Descriptor) : errnoName(errno);
  };
  const file: Guest['file'] = (at, asked) => {
    const opened = open(at, asked);
    if (typeof opened === 'string') {
      throw new assert.AssertionError({ message: `open ${at}: ${opened}` });
    }
    return opened;
  };
  return {
    path,
    outside,
    root,
    open,
    tryOpen: (at, asked) => {
      const opened = open(at, asked);
      if (typeof opened !== 'string') {
        opened.close();
      }
      return typeof opened === 'string' ? opened : 'success';
    },
    file,
    read: (at) => {
      const opened = file(at);
      const target = new Uint8Array(1000);
      assert.equal(errnoName(opened.pread(target, 0n, result)), 'success');
      opened.close();
      return text(target.subarray(0, result.count));
    },
    write: (at, contents) => {
      const opened = file(at, { create: true });
      assert.equal(errnoName(opened.write(bytes(contents), result)), 'success');
      assert.equal(result.count, bytes(contents).length);
      opened.close();
    },
  };
}

/** Registers a test once per resolver: both must do the same. */
export function testBoth(name: string, act: (guest: Guest, context: TestContext) => void | Promise<void>): void {
  for (const resolver of ['kernel', 'walk'] as const) {
    test(`${name} (${resolver})`, { skip }, (context) => withGuest({ resolver }, (guest) => act(guest, context))());
  }
}

/** Names of all entries from a cookie on. */
export function list(directory: Descriptor, cookie = 0n, maximum = 100_000): string[] {
  const entries: DirectoryEntry[] = [];
  assert.equal(errnoName(directory.readEntries(cookie, entries, maximum)), 'success');
  return entries.map((entry) => text(entry.name));
}
