/** A container engine with what was made on it under one owner's label: names, the owner's network, and what is cleared away. */

import { ENGINE_KINDS, type ContainerEngine } from './engine/engine.ts';
import { connectionError } from './engine/engine-error.ts';
import { createOwnerId, isGone, OWNER_LABEL, shortOwner } from './owner.ts';

/** What one executor has of an engine. */
export class OwnedEngine {
  readonly engine: ContainerEngine;
  readonly owner: string = createOwnerId();
  #network: Promise<string> | undefined;
  #sequence = 0;

  private constructor(engine: ContainerEngine) {
    this.engine = engine;
  }

  /**
   * Asks an engine whether it is there, and removes what processes that have ended left behind on it.
   * @throws NebulaError DOCKER_UNAVAILABLE, DOCKER_FORBIDDEN
   */
  static async open(engine: ContainerEngine): Promise<OwnedEngine> {
    const owned = new OwnedEngine(engine);
    try {
      await engine.ping();
      await owned.#sweep(isGone);
    } catch (error) {
      engine.close();
      throw connectionError(error, engine.address);
    }
    return owned;
  }

  /** A name that no other container or image of any owner has. */
  nextName(): string {
    return `nebula-${shortOwner(this.owner)}-${this.#sequence++}`;
  }

  /** What everything is labelled with that is made for the owner. */
  labels(): Record<string, string> {
    return { [OWNER_LABEL]: this.owner };
  }

  /** The owner's own bridge, made when first asked for: its containers reach addresses outside, not each other. */
  bridge(): Promise<string> {
    this.#network ??= this.#createBridge();
    return this.#network;
  }

  /** Removes all that was made here. @throws EngineError whatever kept it from being removed */
  async close(): Promise<void> {
    try {
      await this.#sweep((owner) => owner === this.owner);
    } finally {
      this.engine.close();
    }
  }

  async #createBridge(): Promise<string> {
    try {
      return await this.engine.createNetwork(this.nextName(), this.labels());
    } catch (error) {
      this.#network = undefined;
      throw error;
    }
  }

  /** Removes all of the owners chosen, in the order of ENGINE_KINDS: an image cannot go before its containers. */
  async #sweep(isChosen: (owner: string) => boolean): Promise<void> {
    for (const kind of ENGINE_KINDS) {
      const found = await this.engine.list(kind, OWNER_LABEL);
      const chosen = found.filter(({ labels }) => isChosen(labels[OWNER_LABEL] ?? ''));
      if (kind === 'container') await Promise.all(chosen.map(({ id }) => this.engine.remove(kind, id)));
      else for (const { id } of chosen) await this.engine.remove(kind, id);
    }
  }
}
