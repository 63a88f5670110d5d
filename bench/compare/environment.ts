/** What the machine, the engine and the code were during a run. */

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { readCpuTimes, watchEnvironment, type Environment } from '../measurement/environment.ts';
import { messageOf } from '../../host/errors.ts';
import { root } from '../measurement/root.ts';
import { cgroupLimitsOf, type CgroupLimits } from './cgroup.ts';
import type { Deployed, MissingTarget, Target } from './target.ts';

/** What else went on while a block was measured. */
export interface BlockConditions {
  readonly block: number;
  readonly seconds: number;
  /** Share of processor time that the machine beneath took away; null off Linux. */
  readonly stealShare: number | null;
}

/** What the machine, the engine and the code were during a run, as environment.json holds it. */
export interface RunEnvironment extends Environment {
  /** Hash of the commit, with `+` after it when files differed from it; null outside of a clone. */
  readonly commit: string | null;
  /** Frequency of the first core in MHz as the kernel told it before the run, null where it does not. */
  readonly frequencyMhz: number | null;
  /** The same after the run. */
  readonly frequencyAfterMhz: number | null;
  /** Control group of this process. */
  readonly cgroup: string | null;
  /** What it leaves to this process. */
  readonly cgroupLimits: CgroupLimits;
  /** Version of the container engine and how it runs containers, or why it did not answer. */
  readonly engine: string;
  /** Whether garbage was collected before each turn (node --expose-gc). */
  readonly collectsGarbage: boolean;
  readonly deployed: Readonly<Record<string, readonly Deployed[]>>;
  readonly missing: readonly MissingTarget[];
  readonly blocks: readonly BlockConditions[];
  /** Why the run ended before its plan did. */
  readonly stopped: string | null;
}

const execute = promisify(execFile);

async function commitOf(): Promise<string | null> {
  try {
    const { stdout: hash } = await execute('git', ['rev-parse', 'HEAD'], { cwd: root });
    const { stdout: changes } = await execute('git', ['status', '--porcelain', '-uno'], { cwd: root });
    return `${hash.trim()}${changes === '' ? '' : '+'}`;
  } catch {
    return null;
  }
}

/** The part of the engine's /info that is told. */
interface EngineInfo {
  readonly Driver: string;
  readonly DefaultRuntime: string;
  readonly CgroupVersion: string;
}

async function engineVersion(): Promise<string> {
  try {
    const docker = new Docker();
    const { Version, ApiVersion } = await docker.version();
    const { Driver, DefaultRuntime, CgroupVersion } = (await docker.info()) as EngineInfo;
    return `Docker ${Version} (API ${ApiVersion}), ${Driver}, ${DefaultRuntime}, cgroup v${CgroupVersion}`;
  } catch (error) {
    return `none: ${messageOf(error)}`;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

function frequencyMhz(): number | null {
  const match = /^cpu MHz\s*:\s*([\d.]+)/m.exec(readText('/proc/cpuinfo') ?? '');
  return match === null ? null : Number(match[1]);
}

/** Watches one block; the answer ends it. */
export function watchBlock(block: number): () => BlockConditions {
  const before = readCpuTimes();
  const startMs = performance.now();
  return () => {
    const after = readCpuTimes();
    const known = before !== null && after !== null && after.total > before.total;
    return {
      block,
      seconds: (performance.now() - startMs) / 1000,
      stealShare: known ? (after.steal - before.steal) / (after.total - before.total) : null,
    };
  };
}

/** What only the end of a run knows. */
export interface RunFacts {
  readonly targets: readonly Target[];
  readonly missing: readonly MissingTarget[];
  readonly blocks: readonly BlockConditions[];
  readonly stopped: string | null;
}

/** Starts watching a run; the answer ends it and describes all of it. */
export async function watchRun(command: string): Promise<(facts: RunFacts) => RunEnvironment> {
  const cgroup = readText('/proc/self/cgroup');
  const cgroupLimits = cgroupLimitsOf(cgroup ?? '', (path) => readText(join('/sys/fs/cgroup', path)));
  const known = { commit: await commitOf(), engine: await engineVersion(), cgroup, cgroupLimits };
  const before = frequencyMhz();
  const finish = watchEnvironment(command);
  return ({ targets, ...facts }) => ({
    ...finish(),
    ...known,
    frequencyMhz: before,
    frequencyAfterMhz: frequencyMhz(),
    collectsGarbage: globalThis.gc !== undefined,
    deployed: Object.fromEntries(targets.map((target) => [target.name, target.deployed])),
    ...facts,
  });
}
