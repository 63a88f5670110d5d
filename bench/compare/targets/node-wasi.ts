/**
 * Node's own WASI, which wants files for streams and allows neither a WASI nor an instance to be used twice. It runs in a process
 * of its own that is replaced after some calls, because Node crashes after some hundred such instances (nodejs/node
 * issue 53087); a call in which it does is a failed call.
 */

import { fork, type ChildProcess } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { functionPath } from '../../measurement/root.ts';
import { sha256, type ComparisonCase } from '../cases.ts';
import type { Plan, TargetName } from '../plan.ts';
import type { NodeWasiAnswer, NodeWasiCall } from './node-wasi-process.ts';
import type { CallResult, Deployed, Target } from '../target.ts';

const CALLS_PER_PROCESS = 15;
/** Calls of the function that a new process makes before its first one is measured. */
const WARM_UPS = 3;

/** Opens Node's own WASI in a process of its own. @throws Error when that process does not start */
export async function openNodeWasi(name: TargetName, _plan: Plan, cases: readonly ComparisonCase[]): Promise<Target> {
  const folder = await mkdtemp(join(tmpdir(), 'nebula-node-wasi-'));
  const deployed: Deployed[] = [];
  for (const test of cases) {
    await writeFile(join(folder, `${test.function}.${test.input}`), test.bytes);
    if (deployed.some((each) => each.function === test.function)) continue;
    const bytes = await readFile(functionPath(test.function));
    await copyFile(functionPath(test.function), join(folder, `${test.function}.wasm`));
    deployed.push({ function: test.function, digest: sha256(bytes), sizeBytes: bytes.length });
  }
  const guests = new NodeWasiProcess(folder);
  const close = async (): Promise<void> => {
    await guests.close();
    await rm(folder, { recursive: true });
  };
  return { name, isCold: false, deployed, refuses: () => undefined, call: (test) => guests.call(test), close };
}

const crash = (detail: string): Error =>
  new Error(`the process of node:wasi crashed (${detail}; nodejs/node issue 53087)`);

class NodeWasiProcess {
  readonly #folder: string;
  #child: ChildProcess | undefined;
  #calls = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async call({ function: name, input }: ComparisonCase): Promise<CallResult> {
    if (this.#child === undefined || this.#calls >= CALLS_PER_PROCESS) await this.#renew({ function: name, input });
    this.#calls++;
    const answer = await this.#ask({ function: name, input });
    const { calledNs, answeredNs, clearedNs, exitCode, error, stdout, stderr } = answer;
    const teardownNs = Number(clearedNs - answeredNs);
    const result = { stdout, stderr, span: { calledNs, answeredNs }, teardownNs };
    if (exitCode === 0) return { outcome: 'ok', ...result };
    return exitCode < 0
      ? { outcome: 'trap', reason: error ?? 'an error', ...result }
      : { outcome: 'exit', reason: `exit code ${exitCode}`, ...result };
  }

  async #renew(call: NodeWasiCall): Promise<void> {
    await this.close();
    const path = join(import.meta.dirname, `node-wasi-process${extname(import.meta.filename)}`);
    const child = fork(path, [this.#folder], {
      execArgv: ['--expose-gc', '--no-warnings'],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      // Out of reach of a Ctrl-C, after which the call under way is finished.
      detached: true,
    });
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
    this.#child = child;
    this.#calls = 0;
    for (let count = 0; count < WARM_UPS; count++) await this.#ask(call);
  }

  #ask(call: NodeWasiCall): Promise<NodeWasiAnswer> {
    const child = this.#child;
    if (child === undefined) return Promise.reject(crash('between two calls'));
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null, signal: string | null): void => reject(crash(signal ?? String(code)));
      child.once('exit', onExit);
      child.once('message', (answer) => {
        child.off('exit', onExit);
        resolve(answer as NodeWasiAnswer);
      });
      child.send(call);
    });
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
}
