/** An in-memory mount: the files of the capabilities, checked once, made into a fresh tree for each invocation. */

import { UTF8_ENCODER } from '../bytes.ts';
import type { MemoryMount } from '../capabilities/mounts/schema.ts';
import { NebulaError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { NAME_MAX_BYTES } from '../wasi/paths.ts';
import { MemoryDirectory } from './memory-directory.ts';
import { DeviceNode, DirectoryNode, FileNode, MemoryTree } from './memory-tree.ts';
import { MACHINE_SOURCES, type MountedDirectory } from './mount.ts';

type Template = Map<string, Template | Uint8Array>;

/** Device numbers are given in the order mounts are made. */
let lastDevice = 0n;

/** @throws NebulaError MOUNT_UNAVAILABLE when a path is no relative path, is given twice, or the files exceed the limits. */
export function mountMemory(mount: MemoryMount, limits: Limits): MountedDirectory {
  const template = parseFiles(mount, limits);
  lastDevice += 1n;
  const device = lastDevice;
  const isReadOnly = mount.access === 'read-only';
  return {
    guestPath: mount.guest,
    open: (sources = MACHINE_SOURCES) =>
      new MemoryDirectory(() => {
        const options = { isReadOnly, bytes: limits.filesystemBytes, entries: limits.filesystemEntries, ...sources };
        const tree = new MemoryTree(device, options);
        const root = build(tree, template);
        for (const name of mount.devices ?? []) tree.enter(root, name, new DeviceNode(tree, name));
        return root;
      }),
    close: () => undefined,
  };
}

function build(tree: MemoryTree, template: Template): DirectoryNode {
  const directory = new DirectoryNode(tree);
  for (const [name, content] of template) {
    if (content instanceof Uint8Array) {
      const file = new FileNode(tree);
      file.borrow(content);
      tree.enter(directory, name, file);
    } else {
      tree.enter(directory, name, build(tree, content));
    }
  }
  return directory;
}

function parseFiles(mount: MemoryMount, limits: Limits): Template {
  const root: Template = new Map();
  const refuse = (path: string, detail: string): never => {
    throw new NebulaError('MOUNT_UNAVAILABLE', { path, guest: mount.guest, detail });
  };
  let sizeBytes = 0;
  const devices: readonly string[] = mount.devices ?? [];
  let entries = devices.length;
  for (const [path, content] of Object.entries(mount.files)) {
    const names = path.split('/');
    if (devices.includes(names[0] as string)) refuse(path, `"${names[0]}" is a device of the mount`);
    const isDirectory = path.endsWith('/');
    if (isDirectory) names.pop();
    let directory = root;
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string;
      if (!isName(name)) refuse(path, 'expected a path of names, relative to the mount');
      const isFile = i === names.length - 1 && !isDirectory;
      const found = directory.get(name);
      if (isFile ? found !== undefined : found instanceof Uint8Array) refuse(path, `"${name}" is given twice`);
      if (found === undefined) entries++;
      if (isFile) {
        const bytes = typeof content === 'string' ? UTF8_ENCODER.encode(content) : content;
        sizeBytes += bytes.length;
        directory.set(name, bytes);
      } else {
        const next: Template = (found as Template | undefined) ?? new Map();
        directory.set(name, next);
        directory = next;
      }
    }
    if (sizeBytes > limits.filesystemBytes) refuse(path, `the files exceed ${limits.filesystemBytes} bytes`);
    if (entries > limits.filesystemEntries) refuse(path, `the files are more than ${limits.filesystemEntries}`);
  }
  return root;
}

function isName(name: string): boolean {
  if (name === '' || name === '.' || name === '..' || name.includes('\0')) return false;
  const bytes = Buffer.from(name);
  // A half of a surrogate pair has no UTF-8, so no guest could name the file.
  return bytes.length <= NAME_MAX_BYTES && bytes.toString() === name;
}
