/** How much memory an idle function takes, and so how many fit in 1 GiB. Kept is what belongs to it: nothing else on the machine counts. */

import { readFileSync, readdirSync } from 'node:fs';
import Docker from 'dockerode';
import { FULL_PLAN } from '../compare/plan.ts';
import { nativeDefinition, readProgram } from '../compare/targets/native.ts';
import { createContainerExecutor } from '../../pools/container/executor.ts';
import { CONTAINER_DEFAULTS } from '../../pools/container/definition.ts';
import { FUNCTION_LABEL } from '../../pools/container/owner.ts';
import { densityOf } from '../subjects/density.ts';
import type { LoadTarget } from './step.ts';

const GIB = 2 ** 30;

/** Memory of an idle function, in bytes. */
export interface Density {
  readonly target: LoadTarget;
  /** Idle functions whose memory was measured together. */
  readonly functions: number;
  readonly bytesPerFunction: number;
  readonly perGib: number;
  /** What the bytes are. */
  readonly detail: string;
}

const MICRO_VMS = 200;
const CONTAINERS = 10;

/** Measures what an idle function takes. @throws NebulaError when the target is not to be had */
export async function measureDensity(target: LoadTarget): Promise<Density> {
  return target === 'wasm-restored' ? microVms() : containers(target);
}

function densityFrom(target: LoadTarget, functions: number, bytes: number, detail: string): Density {
  const bytesPerFunction = Math.max(0, bytes / functions);
  return {
    target,
    functions,
    bytesPerFunction,
    perGib: bytesPerFunction === 0 ? 0 : Math.floor(GIB / bytesPerFunction),
    detail,
  };
}

async function microVms(): Promise<Density> {
  const { beforeBytes, afterBytes } = await densityOf({ kind: 'functions', count: MICRO_VMS });
  const detail = 'growth of the resident memory of the one process, each function deployed and called once';
  return densityFrom('wasm-restored', MICRO_VMS, afterBytes - beforeBytes, detail);
}

async function containers(target: LoadTarget): Promise<Density> {
  const mode = target === 'container-warm' ? 'warm' : 'cold';
  const binary = await readProgram('noop');
  const executor = createContainerExecutor();
  const name = `density-${process.pid}`;
  try {
    const engineBefore = engineBytes();
    for (let index = 0; index < CONTAINERS; index++) {
      const definition = {
        ...CONTAINER_DEFAULTS,
        ...nativeDefinition('noop', mode, FULL_PLAN),
        id: `${name}-${index}`,
        name,
        mounts: [],
        source: { binary },
      };
      await executor.deploy(definition);
      await executor.invoke(definition, { input: new Uint8Array() });
    }
    const growth = Math.max(0, engineBytes() - engineBefore);
    const detail =
      mode === 'warm'
        ? 'the kept guest, its containerd-shim (proportional set sizes) and the growth of dockerd and containerd'
        : 'the growth of dockerd and containerd: between calls there is an image and no container';
    return densityFrom(target, CONTAINERS, growth + (await guestBytes(name)), detail);
  } finally {
    await executor.close(0);
  }
}

/** Guests and the shims that are their parents. */
async function guestBytes(functionName: string): Promise<number> {
  const docker = new Docker();
  const found = await docker.listContainers({ filters: { label: [`${FUNCTION_LABEL}=${functionName}`] } });
  let bytes = 0;
  for (const { Id } of found) {
    const { State } = await docker.getContainer(Id).inspect();
    const parent = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${State.Pid}/status`, 'utf8'))?.[1]);
    bytes += proportionalBytes(State.Pid) + proportionalBytes(parent);
  }
  return bytes;
}

/** proc(5), /proc/pid/smaps_rollup: memory shared with others is counted by its share. */
function proportionalBytes(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) * 1024;
}

function engineBytes(): number {
  let bytes = 0;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const command = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
      if (command === 'dockerd' || command === 'containerd') bytes += proportionalBytes(Number(pid));
    } catch {
      // It ended meanwhile.
    }
  }
  return bytes;
}
