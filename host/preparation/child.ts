/** One preparing process, as the process that serves sees it: it has one task at a time, and can be ended in the middle of it. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { constants, getPriority, setPriority } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dataBytes } from '../linux/limits.ts';
import { fromFailure, messageOf, NebulaError } from '../errors.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import type { PreparationBounds, PreparationReport, PreparationTask } from './task.ts';

/** The last of what the process wrote on standard error, where V8 says why it gave up. */
const STDERR_CHARACTERS = 4096;
/** The answer is kept in memory by the process that serves. */
const ANSWER_LIMIT_BYTES = 1024 * 1024 * 1024;

/** Compiles whole modules at once, as a server's calls would bit by bit. */
const FLAGS: readonly string[] = ['--no-wasm-lazy-compilation', '--no-warnings'];

/** Options of Node that say how modules are found and read: what runs from TypeScript needs them in the child too. */
const LOADING =
  /^--(import|require|loader|experimental-loader|conditions|experimental-strip-types|experimental-transform-types)(=|$)/;

/**
 * How much nicer it is than the process that serves: calls are answered first where both want the machine. Not more, or a deploy on
 * a machine that is busy for good would not end within its time.
 */
const NICER = 5;

/** How often is looked how much memory the process has: once it has crashed, nothing tells. */
const LOOK_MS = 100;
/** Code that is refused memory crashes as often as it says so; what it asked for at once was not in use yet. */
const CRASHES: ReadonlySet<string | null> = new Set(['SIGSEGV', 'SIGBUS', 'SIGABRT', 'SIGTRAP', 'SIGILL']);
const CRASH_SHARE = 0.25;

const OUT_OF_MEMORY = /out of memory|heap limit|allocation failed|bad_alloc|cannot allocate/i;

interface Pending {
  readonly bounds: PreparationBounds;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
  readonly sampling: NodeJS.Timeout;
  step: string;
  /** The most that the process was seen to have; one that has ended has nothing. */
  seenBytes: number;
}

function beNice(pid: number): void {
  try {
    setPriority(pid, Math.min(constants.priority.PRIORITY_LOW, getPriority() + NICER));
  } catch {
    // It has ended already, which is told elsewhere.
  }
}

export class PreparingChild {
  readonly #process: ChildProcess;
  readonly #answers: Socket;
  #pending: Pending | undefined;
  #stderr = '';
  #isUsable = true;

  constructor() {
    const file = fileURLToPath(new URL(`./entry${extname(import.meta.url)}`, import.meta.url));
    refuseForeignExecutable(file);
    this.#process = spawn(process.execPath, [...loadingOptions(), ...FLAGS, file], {
      // Nothing of this process's environment is for it. The minifier's allocator counts a gibibyte as used that it only reserves.
      env: { MIMALLOC_ARENA_EAGER_COMMIT: '0' },
      cwd: '/',
      stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    });
    this.#process.once('error', (error) => this.#lose(error.message));
    // Before it has threads of its own, which have its priority from then on.
    if (this.#process.pid !== undefined) beNice(this.#process.pid);
    // Where the process has no descriptor left, Node makes no pipes.
    const pipes = this.#process.stdio as ChildProcess['stdio'] | undefined;
    if (pipes?.[3] === undefined || pipes[3] === null) throw lostError('starting', 'no pipe could be opened');
    this.#answers = pipes[3] as Socket;
    const reader = new FrameReader(ANSWER_LIMIT_BYTES, (report) => this.#take(report as PreparationReport));
    this.#answers.on('data', (chunk: Buffer) => this.#push(reader, chunk));
    this.#process.stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString('latin1')).slice(-STDERR_CHARACTERS);
    });
    for (const stream of this.#process.stdio) stream?.on('error', () => undefined);
    this.#process.once('close', (code, signal) =>
      this.#lose(signal === null ? `it exited with ${code}` : `it got ${signal}`, CRASHES.has(signal)),
    );
    this.#hold(false);
  }

  /** Whether it can take another task. */
  get isUsable(): boolean {
    return this.#isUsable;
  }

  /** @throws NebulaError DEPLOY_TIMEOUT, DEPLOY_MEMORY, PREPARER_LOST; what the task itself refuses */
  run(task: PreparationTask, bounds: PreparationBounds): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#stop(), bounds.deployMs);
      const sampling = setInterval(() => this.#look(), LOOK_MS).unref();
      this.#pending = { bounds, resolve, reject, timer, sampling, step: 'starting', seenBytes: 0 };
      this.#hold(true);
      const stdin = this.#process.stdin as Socket;
      for (const piece of encodeFrame({ task, memoryBytes: bounds.deployMemoryBytes })) stdin.write(piece);
    });
  }

  end(): void {
    this.#isUsable = false;
    this.#process.kill('SIGKILL');
  }

  /** Ends it, and waits until it is gone and its pipes are closed. */
  async leave(): Promise<void> {
    this.end();
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#hold(true);
    await once(this.#process, 'close');
  }

  #push(reader: FrameReader, chunk: Buffer): void {
    try {
      reader.push(chunk);
    } catch (error) {
      this.end();
      this.#lose(messageOf(error));
    }
  }

  #take(report: PreparationReport): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    switch (report.kind) {
      case 'step':
        pending.step = report.step;
        return;
      case 'done':
        if (report.isSpent) this.end();
        return this.#settle(() => pending.resolve(report.result));
      case 'failed':
        if (report.isSpent) this.end();
        return this.#settle(() => pending.reject(fromFailure(report.failure)));
      case 'memory':
        this.end();
        return this.#settle(() => pending.reject(memoryError(pending)));
      case 'error':
        this.end();
        return this.#settle(() => pending.reject(lostError(pending.step, report.message)));
      default:
        return report satisfies never;
    }
  }

  #stop(): void {
    const pending = this.#pending;
    this.end();
    if (pending === undefined) return;
    const { step, bounds } = pending;
    this.#settle(() => pending.reject(new NebulaError('DEPLOY_TIMEOUT', { step, limitMs: bounds.deployMs })));
  }

  #look(): void {
    const { pid } = this.#process;
    const pending = this.#pending;
    if (pending !== undefined && pid !== undefined) pending.seenBytes = Math.max(pending.seenBytes, dataBytes(pid));
  }

  #lose(detail: string, isCrash: boolean = false): void {
    this.#isUsable = false;
    const pending = this.#pending;
    if (pending === undefined) return;
    const wasLarge = pending.seenBytes > pending.bounds.deployMemoryBytes * CRASH_SHARE;
    const isMemory = OUT_OF_MEMORY.test(this.#stderr) || (isCrash && wasLarge);
    const said = /^\w*Error\b.*$/m.exec(this.#stderr)?.[0];
    const told = said === undefined ? detail : `${detail}: ${said}`;
    const error = isMemory ? memoryError(pending) : lostError(pending.step, told);
    this.#settle(() => pending.reject(error));
  }

  #settle(settle: () => void): void {
    clearTimeout(this.#pending?.timer);
    clearInterval(this.#pending?.sampling);
    this.#pending = undefined;
    this.#hold(false);
    settle();
  }

  /** Only a task under way keeps the process that serves from ending. */
  #hold(isHeld: boolean): void {
    const change = isHeld ? 'ref' : 'unref';
    this.#process[change]();
    for (const stream of this.#process.stdio) (stream as Socket | null | undefined)?.[change]();
  }
}

/**
 * A program that is a single executable is what `process.execPath` names, and would start itself, without end.
 * @throws NebulaError PREPARER_LOST
 */
function refuseForeignExecutable(file: string): void {
  const isSingle = process.getBuiltinModule('node:sea').isSea();
  // This process was to run that file, and runs another.
  const isStartedInstead = process.argv.includes(file, 1);
  if (!isSingle && !isStartedInstead) return;
  throw lostError('starting', `${process.execPath} is no Node that runs a file, but a program of its own`);
}

function lostError(step: string, detail: string): NebulaError {
  return new NebulaError('PREPARER_LOST', { step, detail });
}

function memoryError({ step, bounds }: Pending): NebulaError {
  return new NebulaError('DEPLOY_MEMORY', { step, limitBytes: bounds.deployMemoryBytes });
}

function loadingOptions(): string[] {
  if (extname(import.meta.url) !== '.ts') return [];
  const given = process.execArgv;
  return given.flatMap((option, at) => {
    if (!LOADING.test(option)) return [];
    const value = given[at + 1];
    return option.includes('=') || option.startsWith('--experimental-strip') || value === undefined
      ? [option]
      : [option, value];
  });
}
