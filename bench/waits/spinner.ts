/** A caller of a guest that spins: what waits beside it may notice it. */

import { Client } from 'undici';
import type { Proxy } from './proxies.ts';

const GATEWAY_TIMEOUT = 504;

/** Asks again as soon as its call was ended. */
export class Spinner {
  readonly #client: Client;
  readonly #asking: Promise<void>;
  #isWanted = true;

  private constructor(client: Client) {
    this.#client = client;
    this.#asking = this.#ask();
    // `stop` tells.
    this.#asking.catch(() => undefined);
  }

  /** Resolves when a first call of it was ended. @throws Error when it was answered otherwise */
  static async start(proxy: Proxy): Promise<Spinner> {
    const client = new Client(proxy.origin);
    await spin(client);
    return new Spinner(client);
  }

  async #ask(): Promise<void> {
    while (this.#isWanted) await spin(this.#client);
  }

  /** @throws Error when a call of it was answered otherwise than by its deadline */
  async stop(): Promise<void> {
    this.#isWanted = false;
    try {
      await this.#asking;
    } finally {
      await this.#client.close();
    }
  }
}

async function spin(client: Client): Promise<void> {
  const { statusCode, body } = await client.request({ path: '/invoke/spin', method: 'POST' });
  await body.dump();
  if (statusCode !== GATEWAY_TIMEOUT)
    throw new Error(`Cannot measure beside a guest that spins: its call was answered ${statusCode}`);
}
