/** The directories of one test: copied before it runs, because tests write into them, and removed afterwards. */

import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mount } from '../../host/capabilities/mounts/schema.ts';
import type { SpecifiedDirectory } from './specification.ts';

/** `machine`: directories of the machine. `memory`: trees in memory with the same contents. */
export const FILESYSTEMS = ['machine', 'memory'] as const;

export type FilesystemKind = (typeof FILESYSTEMS)[number];

/** What a test leaves behind ends so; a copy must not begin with it. */
const LEFT_BEHIND = '.cleanup';

export class Scratch {
  readonly mounts: readonly Mount[];
  readonly #root: string;

  /**
   * Copies `directories`, whose paths are relative to `base`.
   * @throws Error when one is missing
   */
  constructor(base: string, directories: readonly SpecifiedDirectory[], filesystem: FilesystemKind) {
    this.#root = mkdtempSync(join(tmpdir(), 'nebula-conformance-'));
    try {
      this.mounts = directories.map((directory, index) => {
        const copy = join(this.#root, String(index));
        copyDirectory(join(base, directory.source), copy);
        return createMount(directory.guest, copy, filesystem);
      });
    } catch (error) {
      this.remove();
      throw error;
    }
  }

  remove(): void {
    rmSync(this.#root, { recursive: true, force: true });
  }
}

function copyDirectory(source: string, copy: string): void {
  if (!existsSync(source)) throw new Error(`Cannot copy the test's directory: "${source}" does not exist`);
  cpSync(source, copy, {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path === source || !path.endsWith(LEFT_BEHIND),
  });
}

function createMount(guest: string, copy: string, filesystem: FilesystemKind): Mount {
  if (filesystem === 'machine') return { guest, machine: copy, access: 'read-write' };
  const files: Record<string, Uint8Array> = {};
  for (const name of readdirSync(copy, { recursive: true, encoding: 'utf8' })) {
    const path = join(copy, name);
    if (statSync(path).isDirectory()) files[`${name}/`] = new Uint8Array();
    else files[name] = readFileSync(path);
  }
  return { guest, files, access: 'read-write' };
}
