/** What a control group leaves to its processes (Linux: cgroups(7), Documentation/admin-guide/cgroup-v2.rst). */

/** Null where there is no limit, or none that can be read. */
export interface CgroupLimits {
  readonly cpus: number | null;
  readonly memoryBytes: number | null;
}

/** Version 1 tells no limit as a number of pages that no machine has. */
const UNLIMITED_BYTES = 2 ** 60;

/**
 * @param membership contents of /proc/self/cgroup
 * @param read reads a file beneath /sys/fs/cgroup; null when there is none
 */
export function cgroupLimitsOf(membership: string, read: (path: string) => string | null): CgroupLimits {
  const groups = membership.split('\n').map((line) => {
    const [, controllers = '', ...path] = line.split(':');
    return { controllers: controllers.split(','), path: path.join(':') };
  });
  const pathOf = (controller: string): string | undefined =>
    groups.find(({ controllers }) => controllers.includes(controller))?.path;
  const [cpu, memory, unified] = [pathOf('cpu'), pathOf('memory'), pathOf('')];
  return {
    cpus: cpu === undefined ? unifiedCpus(unified, read) : quotaOf(read, `cpu${cpu}`),
    memoryBytes: bytesOf(memory === undefined ? read(`${unified}/memory.max`) : readMemory(read, `memory${memory}`)),
  };
}

type Read = (path: string) => string | null;

const readMemory = (read: Read, path: string): string | null => read(`${path}/memory.limit_in_bytes`);

function unifiedCpus(path: string | undefined, read: Read): number | null {
  const [quota, period] = (read(`${path}/cpu.max`) ?? '').split(' ').map(Number);
  return share(quota, period);
}

function quotaOf(read: Read, path: string): number | null {
  return share(Number(read(`${path}/cpu.cfs_quota_us`) ?? -1), Number(read(`${path}/cpu.cfs_period_us`)));
}

function share(quota = Number.NaN, period = Number.NaN): number | null {
  return quota > 0 && period > 0 ? quota / period : null;
}

function bytesOf(text: string | null): number | null {
  const bytes = Number(text ?? Number.NaN);
  return Number.isFinite(bytes) && bytes > 0 && bytes < UNLIMITED_BYTES ? bytes : null;
}
