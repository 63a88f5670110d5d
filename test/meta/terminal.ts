/** A shell that keeps its variables and background jobs from one command to the next, as a terminal does. */

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

/** Long enough for an engine to start, be initialised and have its picture taken. */
const COMMAND_TIMEOUT_MS = 300_000;

export interface Typed {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number;
}

export class Terminal {
  readonly #folder: string;
  readonly #shell: ChildProcess;
  readonly #statuses: Interface;

  /** @param folder where commands and what they print are kept; @param place where they run */
  constructor(folder: string, place: string, environment: Readonly<Record<string, string>>) {
    this.#folder = folder;
    const { NEBULA_TOKEN: _none, ...inherited } = process.env;
    // A group of its own, so that what was left running in the background ends with it.
    this.#shell = spawn('bash', ['--noprofile', '--norc'], {
      cwd: place,
      detached: true,
      env: { ...inherited, ...environment },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#statuses = createInterface(this.#shell.stdout as NodeJS.ReadableStream);
  }

  /** Runs one command to its end. What goes on in the background prints into files that it names itself. */
  async type(command: string): Promise<Typed> {
    const [line, stdout, stderr] = ['line', 'stdout', 'stderr'].map((name) => join(this.#folder, name)) as [
      string,
      string,
      string,
    ];
    writeFileSync(line, `${command}\n`);
    this.#shell.stdin?.write(`. '${line}' < /dev/null > '${stdout}' 2> '${stderr}'; echo $?\n`);
    const signal = AbortSignal.timeout(COMMAND_TIMEOUT_MS);
    const [status] = (await once(this.#statuses, 'line', { signal })) as [string];
    return { stdout: readFileSync(stdout, 'utf8'), stderr: readFileSync(stderr, 'utf8'), status: Number(status) };
  }

  /** Ends the shell and all that it left running. */
  async close(): Promise<void> {
    const { pid } = this.#shell;
    if (pid === undefined || this.#shell.exitCode !== null) return;
    const ended = once(this.#shell, 'exit');
    process.kill(-pid, 'SIGKILL');
    await ended;
  }
}
