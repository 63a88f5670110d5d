/** A guest of preview 1 on a mount in memory and on one of the machine, for what both must answer alike. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { mountMachine } from '../../../host/filesystem/machine-mount.ts';
import { Guest } from '../preview1/guest.ts';
import { skip } from './machine-fixture.ts';

export type Access = 'read-only' | 'read-write';

/** Registers a test for each kind of mount; `files` are those of its root. */
export function testMounts(
  name: string,
  files: Readonly<Record<string, string>>,
  act: (guest: Guest) => void,
  access: Access = 'read-write',
): void {
  test(`${name} (memory)`, () => act(new Guest({ files, access })));
  test(`${name} (machine)`, { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'nebula-mounts-'));
    for (const [file, contents] of Object.entries(files)) writeFileSync(join(folder, file), contents);
    const mount = mountMachine({ guest: '/data', machine: folder, access });
    try {
      act(new Guest({ mounts: [mount] }));
    } finally {
      mount.close();
      rmSync(folder, { recursive: true });
    }
  });
}
