/** `proc_exit`, `proc_raise`. */

import { ERRNO } from '../wasi/errno.ts';
import { type HostFunctions, SIGNAL_MAX } from './abi.ts';
import type { Context } from './context.ts';

/** What a shell adds to the number of the signal a process died of. */
const SIGNAL_EXIT_CODE = 128;

/** Signals whose default action is to do nothing: none, chld, cont, urg, winch. */
const IGNORED_SIGNALS: readonly number[] = [0, 16, 17, 22, 27];
/** Signals that would suspend the guest: stop, tstp, ttin, ttou. */
const STOPPING_SIGNALS: readonly number[] = [18, 19, 20, 21];

/** `proc_exit`, `proc_raise`. Source: WASI preview1, docs.md#proc_exit, #proc_raise. */
export function createProcFunctions(context: Context): HostFunctions {
  return {
    proc_exit: (code: number): void => {
      context.enter();
      throw context.exit(code >>> 0);
    },
    /** A guest cannot install a handler, so a signal does what its default action is. */
    proc_raise: (signal: number): number => {
      context.enter();
      const number = signal >>> 0;
      if (number > SIGNAL_MAX) return ERRNO.inval;
      if (IGNORED_SIGNALS.includes(number)) return ERRNO.success;
      if (STOPPING_SIGNALS.includes(number)) return ERRNO.notsup;
      throw context.exit(SIGNAL_EXIT_CODE + number);
    },
  };
}
