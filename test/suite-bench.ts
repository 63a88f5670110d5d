/** What the suite of invocations works on: a way in, and a place for files. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeployOptions } from '../lib/schema/manifest.ts';
import { modulePath } from './definition.ts';

export interface SuiteCall {
  readonly input?: Uint8Array;
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** An outcome as far as the way in shows it. `stdout` of a guest that failed and `stderr` may be undefined. */
export interface SuiteAnswer {
  readonly kind: string;
  readonly exitCode?: number;
  readonly reason?: string;
  readonly limit?: string;
  readonly allowed?: number;
  readonly timeoutMs?: number;
  readonly stdout: Uint8Array | undefined;
  readonly stderr: Uint8Array | undefined;
}

/** A way in. A failure of Nebula's is an error whose `code` is the table's. */
export interface SuiteTarget {
  /** Deploys the module at a path under `options.name`, with what else a manifest may say. */
  deploy(path: string, options: DeployOptions & { readonly name: string }): Promise<unknown>;
  invoke(name: string, call?: SuiteCall): Promise<SuiteAnswer>;
  /** How many guests are suspended now. */
  suspended?(): number;
  close(): Promise<unknown>;
}

export const MIB: number = 1024 * 1024;

export function textOf(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Bytes of every value in no simple order, the same each time. */
export function patternOf(sizeBytes: number): Uint8Array {
  let state = 1;
  return Uint8Array.from({ length: sizeBytes }, () => (state = (state * 48_271) % 2_147_483_647) & 0xff);
}

/** Holds a target and a directory while the suite runs, and deploys a function per case. */
export class Bench {
  readonly #open: () => Promise<SuiteTarget>;
  #target: SuiteTarget | undefined;
  #directory = '';
  #cases = 0;

  constructor(open: () => Promise<SuiteTarget>) {
    this.#open = open;
  }

  async begin(): Promise<void> {
    this.#target = await this.#open();
    this.#directory = mkdtempSync(join(tmpdir(), 'nebula-suite-'));
  }

  async end(): Promise<void> {
    await this.#target?.close();
    rmSync(this.#directory, { recursive: true, force: true });
  }

  get directory(): string {
    return this.#directory;
  }

  get target(): SuiteTarget {
    assert.ok(this.#target !== undefined);
    return this.#target;
  }

  /** Deploys a function by its folder, or a module by its path, and answers how it is invoked. */
  async deploy(from: string, options: DeployOptions = {}): Promise<(call?: SuiteCall) => Promise<SuiteAnswer>> {
    this.#cases += 1;
    const name = `case-${this.#cases}`;
    const path = from.endsWith('.wasm') ? from : modulePath(from);
    await this.target.deploy(path, { http: { showFailures: true }, ...options, name });
    return (call) => this.target.invoke(name, call);
  }
}
