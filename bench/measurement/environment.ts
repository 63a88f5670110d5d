/** What the machine was while a benchmark ran on it. */

import { readFileSync } from 'node:fs';
import { arch, cpus, loadavg, platform, release, totalmem } from 'node:os';

/** The machine and what else went on, as every result file holds it. */
export interface Environment {
  readonly command: string;
  readonly date: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryBytes: number;
  readonly arch: string;
  readonly kernel: string;
  readonly node: string;
  readonly v8: string;
  /** Of the first core's frequency scaling; null where the machine does not tell, as virtual ones do not. */
  readonly governor: string | null;
  /** Load over one minute before and after. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  /** Share of processor time that the machine beneath took away while it ran; null off Linux. */
  readonly stealShare: number | null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

/** Ticks of all processors since boot. */
export interface CpuTimes {
  readonly total: number;
  readonly steal: number;
}

/** proc(5), /proc/stat: user nice system idle iowait irq softirq steal. */
export function readCpuTimes(): CpuTimes | null {
  const line = readText('/proc/stat')?.split('\n')[0];
  if (line === undefined) return null;
  const times = line.split(/\s+/).slice(1, 9).map(Number);
  return { total: times.reduce((sum, time) => sum + time, 0), steal: times[7] ?? 0 };
}

/** Starts watching; the answer ends it and describes the machine. */
export function watchEnvironment(command: string): () => Environment {
  const loadBefore = loadavg()[0] ?? 0;
  const before = readCpuTimes();
  return () => {
    const after = readCpuTimes();
    const elapsed = before === null || after === null ? 0 : after.total - before.total;
    return {
      command,
      date: new Date().toISOString(),
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: cpus().length,
      memoryBytes: totalmem(),
      arch: arch(),
      kernel: `${platform()} ${release()}`,
      node: process.version,
      v8: process.versions.v8,
      governor: readText('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
      loadBefore,
      loadAfter: loadavg()[0] ?? 0,
      stealShare: before === null || after === null || elapsed === 0 ? null : (after.steal - before.steal) / elapsed,
    };
  };
}
