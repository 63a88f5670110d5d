/** `proc_exit`, `proc_raise`. */

import type { Ending } from '../outcome.ts';
import { type HostFunctions, SIGNAL_MAX } from './abi.ts';
import type { Context } from './context.ts';
import { ERRNO } from '../wasi/errno.ts';

/** What a shell adds to the number of the signal a process died of. */
const SIGNAL_EXIT_CODE = 128;

/** Signals whose default action is to do nothing: none, chld, cont, urg, winch. */
const IGNORED_SIGNALS: readonly number[] = [0, 16, 17, 22, 27];
/** Signals that would suspend the guest: stop, tstp, ttin, ttou. */
const STOPPING_SIGNALS: readonly number[] = [18, 19, 20, 21];

const OK: Ending = Object.freeze({ kind: 'ok' });

export function createProcFunctions(context: Context): HostFunctions {
  return {
    proc_exit: (code: number): void => {
      context.enter();
      const exitCode = code >>> 0;
      throw context.stop(exitCode === 0 ? OK : { kind: 'exit', exitCode });
    },
    /** A guest cannot install a handler, so a signal does what its default action is. */
    proc_raise: (signal: number): number => {
      context.enter();
      const number = signal >>> 0;
      if (number > SIGNAL_MAX) return ERRNO.inval;
      if (IGNORED_SIGNALS.includes(number)) return ERRNO.success;
      if (STOPPING_SIGNALS.includes(number)) return ERRNO.notsup;
      throw context.stop({ kind: 'exit', exitCode: SIGNAL_EXIT_CODE + number });
    },
  };
}
