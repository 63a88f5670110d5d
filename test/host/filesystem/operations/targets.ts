/** Where sequences are run: both mounts, each to a module and to a component, and node:wasi, in processes of its own. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mount } from '../../../../host/capabilities/mounts/schema.ts';
import { ComponentVm } from '../../../../host/component/vm/component-vm.ts';
import type { Guest } from '../../../../host/wasi/session/guest.ts';
import { isFstflagsInvalid } from '../../../../host/wasi/flags.ts';
import { commandComponent, defineComponent } from '../../component/components.ts';
import { callOf, defineGuest, Deployed } from '../../function.ts';
import { type Answer, decode, encode, type Operation } from './operation.ts';
import { FIRST_FILES } from './sequence.ts';

export const GUEST = 'guests/file-operations';

export const TARGETS = ['memory', 'machine', 'memory-component', 'machine-component', 'node:wasi'] as const;

export type Target = (typeof TARGETS)[number];

/** The answers of each sequence; fewer than operations where the guest came to an end before the last. */
export async function runOn(target: Target, sequences: readonly (readonly Operation[])[]): Promise<Answer[][]> {
  const folder = mkdtempSync(join(tmpdir(), 'nebula-operations-'));
  try {
    if (target === 'node:wasi') return runOnNode(folder, sequences);
    const mount = target.startsWith('memory') ? memoryMount() : machineMount(folder);
    const isComponent = target.endsWith('component');
    const create = isComponent ? await componentOf(mount) : await moduleOf(mount);
    return sequences.map((sequence) => {
      if ('machine' in mount) fill(folder);
      const guest = create();
      const ending = guest.run(callOf(encode(sequence)), 0);
      const answers = decode(guest.stdout());
      if (ending.kind !== 'ok') throw new Error(`${target}: ${JSON.stringify(ending)} ${String(guest.stderr())}`);
      guest.close();
      return answers;
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function memoryMount(): Mount {
  const files = Object.entries(FIRST_FILES).map(([path, contents]) =>
    contents === null ? [`${path}/`, ''] : [path, contents],
  );
  return { guest: '/data', files: Object.fromEntries(files) as Record<string, string>, access: 'read-write' };
}

function machineMount(folder: string): Mount {
  return { guest: '/data', machine: folder, access: 'read-write' };
}

async function moduleOf(mount: Mount): Promise<() => Guest> {
  const definition = await defineGuest(GUEST, { capabilities: { mounts: [mount] }, strategy: 'copy' });
  const deployed = new Deployed(definition);
  return () => deployed.create();
}

async function componentOf(mount: Mount): Promise<() => Guest> {
  const definition = await defineComponent(await commandComponent(GUEST), { capabilities: { mounts: [mount] } });
  return () => new ComponentVm(definition);
}

/** Puts the first files into a folder, and nothing else. */
export function fill(folder: string): void {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  for (const [path, contents] of Object.entries(FIRST_FILES)) {
    if (contents === null) mkdirSync(join(folder, path));
    else writeFileSync(join(folder, path), contents);
  }
}

/** node:wasi of Node 20 fails after some hundred instances, so a process makes this many. */
const INSTANCES = 50;
/** A process that takes longer has come to a stop. */
const CHILD_MS = 120_000;

/** What node:wasi of Node 20 never answers: uvwasi returns with the lock of the directory held, and waits for it at the end. */
function isFatal({ call, parameters }: Operation): boolean {
  return call === 'path_filestat_set_times' && isFstflagsInvalid(parameters['fstflags'] as number);
}

function runOnNode(folder: string, sequences: readonly (readonly Operation[])[]): Answer[][] {
  sequences.forEach((sequence, at) => {
    const end = sequence.findIndex((operation) => isFatal(operation));
    writeFileSync(join(folder, `${at}.in`), encode(end < 0 ? sequence : sequence.slice(0, end)));
  });
  for (let at = 0; at < sequences.length; at += INSTANCES) {
    const end = Math.min(sequences.length, at + INSTANCES);
    const child = join(import.meta.dirname, 'node-wasi.js');
    const ran = spawnSync(process.execPath, ['--no-warnings', child, folder, String(at), String(end)], {
      encoding: 'utf8',
      timeout: CHILD_MS,
    });
    if (!existsSync(join(folder, `${end - 1}.out`))) throw new Error(`node:wasi: ${ran.signal ?? ''} ${ran.stderr}`);
  }
  return sequences.map((_, at) => decode(readFileSync(join(folder, `${at}.out`))));
}
