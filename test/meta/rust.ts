/** A Rust compiler that makes WASI programs. The target has two names: Debian 12 has it under the old one. */

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export interface Rust {
  readonly rustc: string;
  readonly target: string;
}

export function findRust(): Rust | undefined {
  for (const rustc of ['rustc', '/usr/bin/rustc']) {
    for (const target of ['wasm32-wasip1', 'wasm32-wasi']) {
      const asked = spawnSync(rustc, ['--print', 'target-libdir', '--target', target], { encoding: 'utf8' });
      if (asked.status === 0 && existsSync(asked.stdout.trim())) return { rustc, target };
    }
  }
  return undefined;
}
