// The processes that a test run started, as /proc tells them; none where there is no Linux to ask.
import { readFileSync, readdirSync } from 'node:fs';

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The pids of the processes that a process started itself. */
export function childrenOf(pid) {
  let threads;
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
  const listed = threads.map((thread) => read(`/proc/${pid}/task/${thread}/children`)).join(' ');
  return listed.split(/\s+/).filter(Boolean).map(Number);
}

/** A process and what tells it from a later one of the same pid: when it started, in clock ticks since boot. */
export function identityOf(pid) {
  const stat = read(`/proc/${pid}/stat`);
  return `${pid} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
}

/** The command line of a process, '' once it is gone. */
export function commandOf(pid) {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim();
}

/** The pids of all that came of a process, it first. */
export function treeOf(pid) {
  return [pid, ...childrenOf(pid).flatMap(treeOf)];
}

/** Kills the processes that still are what they were when they were seen; answers the commands of those it killed. */
export function killThose(identities) {
  const killed = [];
  for (const identity of identities) {
    const pid = Number(identity.split(' ')[0]);
    if (identityOf(pid) !== identity) continue;
    const command = commandOf(pid);
    try {
      process.kill(pid, 'SIGKILL');
      killed.push(command);
    } catch {
      // It ended meanwhile.
    }
  }
  return killed;
}
