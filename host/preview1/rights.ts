/** `rights` of preview1: what a descriptor may be used for, and what is handed on to those opened through it. */

import type { Descriptor } from '../filesystem/descriptor.ts';

/** `rights` as bits of a number: the spec has 30 of them. Source: WASI preview1, docs.md#rights. */
export const RIGHTS = {
  fdDatasync: 0x1,
  fdRead: 0x2,
  fdSeek: 0x4,
  fdFdstatSetFlags: 0x8,
  fdSync: 0x10,
  fdTell: 0x20,
  fdWrite: 0x40,
  fdAdvise: 0x80,
  fdAllocate: 0x100,
  pathCreateDirectory: 0x200,
  pathCreateFile: 0x400,
  pathLinkSource: 0x800,
  pathLinkTarget: 0x1000,
  pathOpen: 0x2000,
  fdReaddir: 0x4000,
  pathReadlink: 0x8000,
  pathRenameSource: 0x10000,
  pathRenameTarget: 0x20000,
  pathFilestatGet: 0x40000,
  pathFilestatSetSize: 0x80000,
  pathFilestatSetTimes: 0x100000,
  fdFilestatGet: 0x200000,
  fdFilestatSetSize: 0x400000,
  fdFilestatSetTimes: 0x800000,
  pathSymlink: 0x1000000,
  pathRemoveDirectory: 0x2000000,
  pathUnlinkFile: 0x4000000,
  pollFdReadwrite: 0x8000000,
  sockShutdown: 0x10000000,
  sockAccept: 0x20000000,
} as const;

/** Rights that mean something on a directory. */
export const DIRECTORY_RIGHTS: number =
  RIGHTS.pathCreateDirectory |
  RIGHTS.pathCreateFile |
  RIGHTS.pathLinkSource |
  RIGHTS.pathLinkTarget |
  RIGHTS.pathOpen |
  RIGHTS.fdReaddir |
  RIGHTS.pathReadlink |
  RIGHTS.pathRenameSource |
  RIGHTS.pathRenameTarget |
  RIGHTS.pathFilestatGet |
  RIGHTS.pathFilestatSetSize |
  RIGHTS.pathFilestatSetTimes |
  RIGHTS.fdFilestatGet |
  RIGHTS.fdFilestatSetTimes |
  RIGHTS.pathSymlink |
  RIGHTS.pathRemoveDirectory |
  RIGHTS.pathUnlinkFile |
  RIGHTS.pollFdReadwrite;

/** Rights that mean something on a file. */
export const FILE_RIGHTS: number =
  RIGHTS.fdDatasync |
  RIGHTS.fdRead |
  RIGHTS.fdSeek |
  RIGHTS.fdFdstatSetFlags |
  RIGHTS.fdSync |
  RIGHTS.fdTell |
  RIGHTS.fdWrite |
  RIGHTS.fdAdvise |
  RIGHTS.fdAllocate |
  RIGHTS.fdFilestatGet |
  RIGHTS.fdFilestatSetSize |
  RIGHTS.fdFilestatSetTimes |
  RIGHTS.pollFdReadwrite;

/** What a file or directory opened beneath a preopen may be given. */
export const INHERITING_RIGHTS: number = DIRECTORY_RIGHTS | FILE_RIGHTS;

/** Rights of a standard stream besides reading or writing. */
export const STREAM_RIGHTS: number = RIGHTS.fdFdstatSetFlags | RIGHTS.fdFilestatGet | RIGHTS.pollFdReadwrite;

/** Gives a descriptor its rights, none of them dropped. */
export function grant(descriptor: Descriptor, base: number, inheriting: number): void {
  descriptor.rightsBase = base;
  descriptor.rightsInheriting = inheriting;
  descriptor.droppedBase = 0;
  descriptor.droppedInheriting = 0;
}

/** Leaves a descriptor these of its rights, for good. */
export function keepRights(descriptor: Descriptor, base: number, inheriting: number): void {
  descriptor.droppedBase |= descriptor.rightsBase & ~base;
  descriptor.droppedInheriting |= descriptor.rightsInheriting & ~inheriting;
  descriptor.rightsBase = base;
  descriptor.rightsInheriting = inheriting;
}

/** Whether all of these rights were given up: one that is left suffices. */
export function isDropped(descriptor: Descriptor | undefined, rights: number): boolean {
  return descriptor !== undefined && (descriptor.droppedBase & rights) === rights;
}
