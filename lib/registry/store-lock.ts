/**
 * One process owns a store at a time. The lock is a file that names its owner; an owner that no longer runs, as after
 * kill -9, has lost it. A process is told from a later one with the same number by the time it started. Processes that
 * do not see each other, as in two containers with one volume, are not kept apart.
 */

import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NebulaError } from '../../host/errors.ts';
import { temporaryPath } from './durable-file.ts';

const LOCK_NAME = 'lock';

/** Start of the process in clock ticks since boot, field 22 of proc(5) stat; empty where there is no /proc. */
async function readStartTime(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    // The name in field 2 may hold spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}

async function isRunning(owner: string): Promise<boolean> {
  const [pidText = '', startTime = ''] = owner.trim().split(' ');
  const pid = Number(pidText);
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return (await readStartTime(pid)) === startTime;
}

/** Creates the lock file with its content in one step; whether it was not there before. */
async function claim(directory: string, path: string, owner: string): Promise<boolean> {
  const temporary = temporaryPath(directory);
  await writeFile(temporary, owner, { flag: 'wx', mode: 0o600 });
  try {
    await link(temporary, path);
    return true;
  } catch (error) {
    // ENOENT: the owner of the moment took our temporary for one of its own.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EEXIST' && code !== 'ENOENT') throw error;
    return false;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Takes a dead owner's lock away; one that is another's by then is put back. */
async function evict(directory: string, path: string, dead: string): Promise<void> {
  const aside = temporaryPath(directory);
  try {
    await rename(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== dead) await link(aside, path);
  await rm(aside, { force: true });
}

/**
 * Takes the lock of a store's directory.
 * @returns what gives it back
 * @throws NebulaError STORE_FAILED when a running process has it
 */
export async function lockStore(directory: string): Promise<() => Promise<void>> {
  const path = join(directory, LOCK_NAME);
  const owner = `${process.pid} ${await readStartTime(process.pid)}\n`;
  for (let attempt = 0; attempt < 8; attempt++) {
    if (await claim(directory, path, owner)) return () => rm(path, { force: true });
    const holder = await readFile(path, 'utf8').catch(() => undefined);
    if (holder === undefined) continue;
    if (await isRunning(holder)) {
      const detail = `process ${holder.split(' ')[0]} has it open; stop it or use another directory`;
      throw new NebulaError('STORE_FAILED', { action: 'take the lock', path: directory, detail });
    }
    await evict(directory, path, holder);
  }
  throw new NebulaError('STORE_FAILED', {
    action: 'take the lock',
    path: directory,
    detail: 'other processes keep taking it',
  });
}
