/** A private mount namespace with plain files over /sys/class/gpio, and strace for the writes to them. */

import { spawnSync } from 'node:child_process';
import { requirePart } from '../../require.ts';

/** An overlay keeps the other classes of /sys/class; the namespace ends with the command. */
const NAMESPACE = `set -e
T=$(mktemp -d); trap 'rmdir $T' EXIT; mount -t tmpfs none $T; mkdir $T/up $T/wk
mount -t overlay overlay -o lowerdir=/sys/class,upperdir=$T/up,workdir=$T/wk /sys/class
G=/sys/class/gpio; mkdir -p $G/gpio529 $G/gpiochip512; : >$G/export; : >$G/unexport
echo pinctrl-rp1 >$G/gpiochip512/label; echo 512 >$G/gpiochip512/base; echo 54 >$G/gpiochip512/ngpio
echo in >$G/gpio529/direction; echo 0 >$G/gpio529/value; echo 0 >$G/gpio529/active_low; echo none >$G/gpio529/edge
"$@"; status=$?; umount -l $T; exit $status`;

/** Runs a command in a namespace of its own. GPIO17 is line 529 there. */
export function inNamespace(command: readonly string[], timeoutMs = 120_000): ReturnType<typeof spawnSync> {
  return spawnSync('unshare', ['-m', 'bash', '-c', NAMESPACE, 'bash', ...command], {
    timeout: timeoutMs,
    maxBuffer: 64 * 1024 * 1024,
  });
}

function whyNot(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root may mount';
  const probe = inNamespace(['strace', '-e', 'trace=none', 'true']);
  return probe.status === 0
    ? undefined
    : `unshare, mount or strace failed: ${probe.error?.message ?? String(probe.stderr)}`;
}

const reason = whyNot();

/** What node:test takes as `skip` for a test that needs the namespace and strace. */
export const skipWithoutNamespace: string | false = requirePart('gpio-namespace', reason === undefined, reason ?? '');

/** strace that writes nothing but the writes to the pins' files, by the wall clock. */
export const straceInto = (path: string): string[] => [
  'strace',
  '-f',
  '--seccomp-bpf',
  '-y',
  '-ttt',
  '-e',
  'trace=pwrite64',
  '-o',
  path,
];
