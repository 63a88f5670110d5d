/** Cargo packages, built for WASI. */

import { existsSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { NebulaError } from '../../host/errors.ts';
import type { Builder, BuildTask } from './builder.ts';
import { askTool, runTool } from './tool.ts';

/** The target has two names: Rust before 1.78 has it under the old one. */
const TARGETS = ['wasm32-wasip1', 'wasm32-wasi'];
/** That of the PATH, and Debian's, which may have the target where rustup's has not. */
const PLACES = ['', '/usr/bin/'];
const INSTALL = 'rustup target add wasm32-wasip1, or on Debian: apt-get install cargo rustc libstd-rust-dev-wasm32 lld';

interface Toolchain {
  readonly place: string;
  readonly target: string;
}

export const rust: Builder = {
  about: 'a Cargo package (Cargo.toml)',
  matches: (names) => names.has('Cargo.toml'),
  written: ['target'],
  async build(task) {
    const { place, target } = await findToolchain(task);
    task.say('cargo builds it');
    const messages = await runTool({
      program: `${place}cargo`,
      given: ['build', '--release', '--target', target, '--message-format', 'json-render-diagnostics'],
      folder: task.folder,
      environment: place === '' ? {} : { RUSTC: `${place}rustc` },
      signal: task.signal,
    });
    await copyFile(moduleOf(messages, task), task.modulePath);
  },
};

async function findToolchain(task: BuildTask): Promise<Toolchain> {
  for (const place of PLACES) {
    if ((await askTool(`${place}cargo`, ['--version'], task)) === undefined) continue;
    for (const target of TARGETS) {
      const libraries = await askTool(`${place}rustc`, ['--print', 'target-libdir', '--target', target], task);
      if (libraries !== undefined && existsSync(libraries)) return { place, target };
    }
  }
  throw new NebulaError('TOOL_MISSING', {
    folder: task.folder,
    tool: 'Rust for WASI (cargo, with the target)',
    install: INSTALL,
  });
}

/** The module among what Cargo says it has made: the only one, or the one that has the function's name. */
function moduleOf(messages: string, { folder, name }: BuildTask): string {
  const made = messages
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .flatMap((line) => (JSON.parse(line) as { readonly filenames?: readonly string[] }).filenames ?? [])
    .filter((path) => path.endsWith('.wasm'));
  const wanted = new Set([`${name}.wasm`, `${name.replaceAll('-', '_')}.wasm`]);
  const found = made.length === 1 ? made[0] : made.find((path) => wanted.has(basename(path)));
  if (found !== undefined) return found;
  const names = made.map((path) => basename(path)).join(', ');
  const detail = `expected a binary or a cdylib named ${name}, got ${names === '' ? 'no module' : names}`;
  throw new NebulaError('BUILD_FAILED', { folder, tool: 'cargo', detail });
}
