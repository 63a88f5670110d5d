/**
 * The process in which modules and components are prepared: tasks come in over standard input, one at a time, answers go
 * out over descriptor 3. It ends with the process that started it.
 */

import { Socket } from 'node:net';
import { isTranspilerBroken } from '../component/prepare/transpilation.ts';
import { messageOf, toFailure } from '../errors.ts';
import { codeBytes, dataBytes, endWithParent, limitData } from '../linux/limits.ts';
import { takeTurnsOf } from '../linux/turns.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import { perform } from './perform.ts';
import type { PreparationReport, PreparationRequest } from './task.ts';

const ANSWERS_FD = 3;
/** The server has bounded what it sends by `moduleBytes`: this is as much as the sizes in a frame can say. */
const REQUEST_LIMIT_BYTES = 0xffff_ffff;
/**
 * Threads that compile have the machine's processors for long. One of the process that serves goes first when it wakes up, and not
 * only at the end of such a turn; what a deploy has of a machine that is busy for good stays the same.
 */
const TURN_NS = 20e6;
/** Once a process is larger than this by what tasks left behind, another takes its place. */
const GROWN_BYTES = 256 * 1024 * 1024;

const answers = new Socket({ fd: ANSWERS_FD, readable: false, writable: true });

function send(report: PreparationReport): void {
  for (const piece of encodeFrame(report)) answers.write(piece);
}

const bornBytes = dataBytes();
/** What V8 has reserved for the code of one thread. */
const threadCodeBytes = codeBytesHere();

function codeBytesHere(): number {
  try {
    return codeBytes();
  } catch {
    return 0;
  }
}

const isSpent = (): boolean => isTranspilerBroken() || dataBytes() - bornBytes > GROWN_BYTES;

async function serve({ task, memoryBytes }: PreparationRequest): Promise<void> {
  const beforeBytes = dataBytes();
  // The transpiler starts a thread. What V8 reserves for code is none of the task's.
  const threads = task.kind === 'transpile' || task.kind === 'declare' ? 2 : 1;
  limitData(beforeBytes + memoryBytes + Math.max(codeBytesHere(), threads * threadCodeBytes));
  try {
    const result = await perform(task, (step) => send({ kind: 'step', step }));
    send({ kind: 'done', result, isSpent: isSpent() });
  } catch (error) {
    if (wantsMemory(error, dataBytes() - beforeBytes, memoryBytes)) return send({ kind: 'memory' });
    const failure = toFailure(error);
    send(
      failure === undefined
        ? { kind: 'error', message: messageOf(error) }
        : { kind: 'failed', failure, isSpent: isSpent() },
    );
  }
}

/** An allocation that failed shows as many errors: a transpiler in Wasm traps, V8 throws a RangeError. */
function wantsMemory(error: unknown, takenBytes: number, memoryBytes: number): boolean {
  if (takenBytes > memoryBytes * 0.75) return true;
  return error instanceof RangeError && /alloc|memory|Invalid (array|string) length/.test(error.message);
}

endWithParent();
takeTurnsOf(TURN_NS);
// A terminal and a service manager send these to every process of a group; the one that serves decides when this one ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
const reader = new FrameReader(REQUEST_LIMIT_BYTES, (message) => void serve(message as PreparationRequest));
process.stdin.on('data', (chunk: Buffer) => reader.push(chunk));
// The transpiler leaves a thread behind that would keep the process.
process.stdin.on('close', () => process.exit());
answers.on('error', () => process.exit());
