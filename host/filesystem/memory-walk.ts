/** Where a path leads in an in-memory file system. */

import { ERRNO } from '../wasi/errno.ts';
import { LINKS_MAX, NAME_MAX_BYTES } from '../wasi/paths.ts';
import { DirectoryNode, LinkNode, type MemoryNode } from './memory-tree.ts';

/** Where a path leads: the directory its last name is in, the name, and what it stands for, if anything. */
export interface Place {
  readonly errno: number;
  readonly parent: DirectoryNode;
  /** `.` or `..` when the path ends in one of these; `node` is the directory meant then, and `parent` as well. */
  readonly name: string;
  readonly node: MemoryNode | undefined;
  /** The path ends in a slash. */
  readonly hasTrailingSlash: boolean;
}

/**
 * Walks along a path. `isFollowing`: a symbolic link at its end is followed, and so is one before a trailing slash unless
 * `isEntry` asks for the entry itself. The walk never leaves `start`: NOTCAPABLE.
 */
export function walk(start: DirectoryNode, path: Uint8Array, isFollowing: boolean, isEntry = false): Place {
  const above: DirectoryNode[] = [];
  const text = textOf(path);
  const rest = namesOf(text);
  let hasTrailingSlash = text.endsWith('/');
  let parent = start;
  let followed = 0;
  let name = '.';
  let node: MemoryNode | undefined = start;
  const fail = (errno: number): Place => ({ errno, parent, name, node: undefined, hasTrailingSlash });
  if (text === '') return fail(ERRNO.noent);
  if (text.startsWith('/')) return fail(ERRNO.notcapable);
  while (rest.length > 0) {
    name = rest.pop() as string;
    if (name === '.' || name === '..') {
      if (name === '..') {
        const back = above.pop();
        if (back === undefined) return fail(ERRNO.notcapable);
        parent = back;
      }
      node = parent;
      continue;
    }
    if (Buffer.byteLength(name) > NAME_MAX_BYTES) return fail(ERRNO.nametoolong);
    node = parent.entries.get(name);
    const isLast = rest.length === 0;
    if (node instanceof LinkNode && (!isLast || isFollowing || (hasTrailingSlash && !isEntry))) {
      if (++followed > LINKS_MAX) return fail(ERRNO.loop);
      const target = textOf(node.contents);
      if (target.startsWith('/')) return fail(ERRNO.notcapable);
      if (isLast && target.endsWith('/')) hasTrailingSlash = true;
      rest.push(...namesOf(target));
      continue;
    }
    if (isLast) break;
    if (node === undefined) return fail(ERRNO.noent);
    if (!(node instanceof DirectoryNode)) return fail(ERRNO.notdir);
    above.push(parent);
    parent = node;
  }
  const isWrongKind = hasTrailingSlash && !isEntry && node !== undefined && !(node instanceof DirectoryNode);
  return { errno: isWrongKind ? ERRNO.notdir : ERRNO.success, parent, name, node, hasTrailingSlash };
}

/** The names of a path, the last one first. */
function namesOf(path: string): string[] {
  return path
    .split('/')
    .filter((part) => part !== '')
    .toReversed();
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
