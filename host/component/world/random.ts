/** wasi:random, from the guest's own source: what is insecure by name is as good as the rest. Source: WASI 0.2, wasi:random. */

import type { Host } from './host.ts';
import type { Imports } from './interfaces.ts';

/** The interfaces of wasi:random. */
export function createRandom(host: Host): Imports {
  const bytes = (length: bigint): Uint8Array => {
    host.enter();
    const { memoryBytes } = host.options.limits;
    if (length > BigInt(memoryBytes)) {
      throw host.stop({ kind: 'limit', limit: 'memoryBytes', allowed: memoryBytes });
    }
    const drawn = new Uint8Array(Number(length));
    host.fillRandom(drawn, 0, drawn.length);
    return drawn;
  };
  const word = (): bigint => new DataView(bytes(8n).buffer).getBigUint64(0, true);
  return {
    'wasi:random/random': { getRandomBytes: bytes, getRandomU64: word },
    'wasi:random/insecure': { getInsecureRandomBytes: bytes, getInsecureRandomU64: word },
    'wasi:random/insecure-seed': { insecureSeed: () => [word(), word()] },
  };
}
