/** A call for observers. */

import type { Call } from '../../../lib/observe/observer.ts';

export const CALL: Call = {
  function: { name: 'f', version: 1, observers: [] },
  invocation: { input: new Uint8Array() },
};
