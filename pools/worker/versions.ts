/** The versions of functions that the pool has taken on, until the last invocation of each has ended. */

import { closeImage } from '../../host/snapshot/image.ts';
import type { Call } from './call.ts';
import type { Installation } from './messages.ts';
import type { InvocationQueue } from './queue.ts';
import type { Unit } from './unit.ts';

/** A version on its way out: waits for its last invocation. */
interface Retirement {
  readonly retired: Promise<void>;
  readonly resolve: () => void;
}

const NOTHING = (): void => {};

/** The versions of one pool. */
export class Versions {
  readonly #queue: InvocationQueue<Call>;
  readonly #installations: Map<string, Installation> = new Map();
  readonly #retiring: Map<string, Retirement> = new Map();

  constructor(queue: InvocationQueue<Call>) {
    this.#queue = queue;
  }

  add(installation: Installation): void {
    this.#installations.set(installation.definition.id, installation);
  }

  get(id: string): Installation | undefined {
    return this.#installations.get(id);
  }

  /** Whether invocations of it are taken. */
  isServed(id: string): boolean {
    return this.#installations.has(id) && !this.#retiring.has(id);
  }

  /** Takes a version off once nothing of it waits or runs; undefined when it is not there, or was taken off meanwhile. */
  async remove(id: string): Promise<Installation | undefined> {
    const installation = this.#installations.get(id);
    if (installation === undefined) return undefined;
    await this.#retired(id);
    return this.#installations.delete(id) ? installation : undefined;
  }

  #retired(id: string): Promise<void> {
    if (this.#queue.isIdle(id)) return Promise.resolve();
    let retirement = this.#retiring.get(id);
    if (retirement === undefined) {
      let resolve = NOTHING;
      const retired = new Promise<void>((resolved) => (resolve = resolved));
      retirement = { retired, resolve };
      this.#retiring.set(id, retirement);
    }
    return retirement.retired;
  }

  /** Told when an invocation has ended: it may have been the last of its version. */
  ended(id: string): void {
    if (this.#retiring.size === 0 || !this.#queue.isIdle(id)) return;
    const retirement = this.#retiring.get(id);
    this.#retiring.delete(id);
    retirement?.resolve();
  }

  /** Lets go of everything that waits to be taken off. */
  release(): void {
    for (const { resolve } of this.#retiring.values()) resolve();
  }

  close(): void {
    for (const { image } of this.#installations.values()) closeImage(image);
    this.#installations.clear();
  }
}

/**
 * Has threads forget a version. One that has just answered may still map the image: it is closed once none has it, and
 * `sessions` of it have ended.
 */
export function leaveThreads(
  units: Iterable<Unit<Call>>,
  { definition, image }: Installation,
  sessions?: Promise<unknown>,
): void {
  const { id } = definition;
  const holders = [...units].filter((unit) => unit.installed.delete(id));
  let held = holders.length + (sessions === undefined ? 0 : 1);
  const done = (): void => {
    held--;
    if (held === 0) closeImage(image);
  };
  for (const unit of holders) unit.leaving.push({ id, done });
  void sessions?.then(done);
  if (held === 0) closeImage(image);
}
