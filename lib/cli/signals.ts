/** The signals by which a command is ended, where it has something to end first. */

/** SIGINT and SIGTERM, taken until `forget`. */
export interface EndingSignal {
  /** Aborted by the first of them; a second ends the process at once. */
  readonly signal: AbortSignal;
  readonly forget: () => void;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Takes both signals from now on. */
export function untilSignal(): EndingSignal {
  const controller = new AbortController();
  const forget = (): void => {
    for (const signal of SIGNALS) process.off(signal, stop);
  };
  const stop = (name: NodeJS.Signals): void => {
    // Without listeners a second signal ends the process at once.
    forget();
    controller.abort(new Error(`Ended by ${name}`));
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  return { signal: controller.signal, forget };
}
