/** A compiler that does what a test says. */

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { temporaryDirectory } from '../tiny-module.ts';

/** A folder of C with a compiler of its own: what the script does. */
export function withCompiler(context: TestContext, script: string): { readonly folder: string; readonly path: string } {
  const root = temporaryDirectory(context);
  const folder = join(root, 'f');
  mkdirSync(folder);
  writeFileSync(join(folder, 'f.c'), '');
  writeFileSync(
    join(root, 'clang'),
    `#!/bin/sh\ncase "$*" in *print-file-name*) echo /lib/crt1.o; exit;; esac\n${script}\n`,
  );
  chmodSync(join(root, 'clang'), 0o755);
  return { folder, path: `${root}:${process.env['PATH']}` };
}
