/** A native guest as a child process in a process group of its own. */

import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { NebulaError } from '../../host/errors.ts';
import { monotonicNs } from '../../host/monotonic.ts';
import type { GuestEnd, Launch, NativeGuest } from '../native/backend.ts';

/** @throws NebulaError PROCESS_LOST when the machine cannot start one more */
export async function launchChild(name: string, path: string, launch: Launch): Promise<NativeGuest> {
  const calledNs = monotonicNs();
  const child = spawn(path, launch.arguments, {
    env: launch.environment,
    cwd: '/',
    stdio: 'pipe',
    // A group of its own, so that what it starts itself dies with it.
    detached: true,
  });
  const ended = endOf(child);
  if (child.pid === undefined) {
    const end = await ended;
    throw new NebulaError('PROCESS_LOST', { name, detail: end.kind === 'lost' ? end.detail : 'it did not start' });
  }
  launch.times.start = monotonicNs() - calledNs;
  child.stdout.on('data', launch.onStdout);
  child.stderr.on('data', launch.onStderr);
  // A guest need not read its input: that it closed the pipe is no fault.
  child.stdin.on('error', () => undefined);
  if (launch.input !== undefined) child.stdin.end(launch.input);
  const kill = async (): Promise<void> => {
    killGroup(child);
    await ended;
  };
  return {
    ended,
    write: (chunk) => void child.stdin.write(chunk),
    kill,
    remove: kill,
    usage: () => undefined,
  };
}

function endOf(child: ChildProcessWithoutNullStreams): Promise<GuestEnd> {
  return new Promise((resolve) => {
    let end: GuestEnd | undefined;
    child.once('error', (error) => resolve({ kind: 'lost', detail: error.message, endedNs: monotonicNs() }));
    child.once('exit', (exitCode, signal) => {
      const endedNs = monotonicNs();
      end = signal === null ? { kind: 'exit', exitCode: exitCode ?? 0, endedNs } : { kind: 'signal', signal, endedNs };
      // What it left running holds its pipes open, and would keep the call waiting.
      killGroup(child);
    });
    child.once('close', () => {
      if (end !== undefined) resolve(end);
    });
  });
}

function killGroup(child: ChildProcessWithoutNullStreams): void {
  try {
    process.kill(-(child.pid as number), 'SIGKILL');
  } catch (error) {
    // ESRCH: all of it has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
