/** The base of every resource a component can hold: counted against its limit, and given back once. */

import type { Host } from './host.ts';

/** What the glue calls when the guest drops a resource. Source: jco, `symbolDispose` in the code it generates. */
const DISPOSE: symbol = Symbol.dispose ?? Symbol.for('dispose');

/**
 * A resource that a guest holds by a handle. Whoever makes one ends the guest where its limit `resources` is reached.
 */
export abstract class Resource {
  readonly host: Host;
  #dropped = false;

  constructor(host: Host) {
    this.host = host;
    host.hold();
  }

  /** Gives back what it holds. */
  protected release(): void {}

  drop(): void {
    if (this.passOn()) this.release();
  }

  /** The guest has handed it over: it is counted no more, and what it holds lives on. False when it was let go before. */
  passOn(): boolean {
    if (this.#dropped) return false;
    this.#dropped = true;
    this.host.drop();
    return true;
  }
}

Object.defineProperty(Resource.prototype, DISPOSE, {
  value(this: Resource): void {
    this.drop();
  },
});
