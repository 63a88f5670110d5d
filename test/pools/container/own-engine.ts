/** A Docker engine of a test's own, beside the machine's: one that may be killed. */

import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { eventually } from './docker.ts';

const START_TIMEOUT_MS = 60_000;

export class OwnEngine {
  readonly socket: string;
  readonly docker: Docker;
  readonly #directory: string = mkdtempSync(join(tmpdir(), 'nebula-engine-'));
  #process: ChildProcess | undefined;

  constructor() {
    this.socket = join(this.#directory, 'docker.sock');
    this.docker = new Docker({ socketPath: this.socket });
  }

  async start(): Promise<void> {
    const path = (name: string): string => join(this.#directory, name);
    const places = ['--data-root', path('data'), '--exec-root', path('exec'), '--pidfile', path('pid')];
    const options = ['--host', `unix://${this.socket}`, ...places, '--bridge', 'none', '--iptables=false'];
    // In a network namespace of its own: without a bridge it would remove that of the machine's engine.
    this.#process = spawn('unshare', ['--net', 'dockerd', ...options], { stdio: 'ignore' });
    await eventually('the engine answers', () => this.#answers(), START_TIMEOUT_MS);
  }

  /** Stops it as a machine that fails would. */
  async kill(): Promise<void> {
    const containerd = Number(readFileSync(join(this.#directory, 'exec', 'containerd', 'containerd.pid'), 'latin1'));
    await this.#end('SIGKILL');
    // It dies with the engine, a moment later; an engine started meanwhile would take it for its own.
    await eventually('its containerd has ended', () => Promise.resolve(!existsSync(`/proc/${containerd}`)));
  }

  /** Stops it with all its containers, and removes its files. */
  async dispose(): Promise<void> {
    // Only an engine that runs ends the containers, and the containerd, of one that was killed.
    if (this.#process === undefined) await this.start();
    await this.#end('SIGTERM');
    this.#unmount();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const engine = this.#process;
    this.#process = undefined;
    if (engine === undefined) return;
    const ended = new Promise((resolve) => engine.once('exit', resolve));
    engine.kill(signal);
    await ended;
  }

  /** An engine mounts its data over itself, and one that was killed did not undo that. */
  #unmount(): void {
    const lines = readFileSync('/proc/self/mounts', 'latin1').split('\n');
    const mounts = lines.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(this.#directory));
    // The last mounted lies on top.
    for (const mount of mounts.toReversed()) spawnSync('umount', ['--lazy', mount]);
  }

  #answers(): Promise<boolean> {
    return this.docker.ping().then(
      () => true,
      () => false,
    );
  }
}
