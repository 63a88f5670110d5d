/**
 * Aborts: what waits for an AbortSignal, and the grace of a call that runs. One listener of the signal's serves all calls that
 * were given it: Node warns of a leak from the eleventh on, and a service may well hand one signal to all its calls.
 */

/**
 * How long an aborted call may still run, in milliseconds, that is expected to end before this: its thread, which starts in
 * tens of milliseconds, is worth more. Clients that go away cost no threads then.
 */
export const ABORT_GRACE_MS = 10;

type Listener = () => void;

const watched: WeakMap<AbortSignal, { readonly listeners: Set<Listener>; readonly tell: Listener }> = new WeakMap();

/** Calls `listener` once, when the signal aborts. */
export function watchAbort(signal: AbortSignal, listener: Listener): void {
  // A signal of our own, with listeners that cost less than this.
  if (signal.addEventListener !== EventTarget.prototype.addEventListener) {
    signal.addEventListener('abort', listener, { once: true });
    return;
  }
  const found = watched.get(signal);
  if (found !== undefined) {
    found.listeners.add(listener);
    return;
  }
  const listeners = new Set([listener]);
  const tell = (): void => {
    for (const each of listeners) each();
    watched.delete(signal);
  };
  watched.set(signal, { listeners, tell });
  signal.addEventListener('abort', tell, { once: true });
}

/** Calls it no more. The signal is let go of with the last one: a timer's would be kept alive by a listener. */
export function unwatchAbort(signal: AbortSignal, listener: Listener): void {
  const found = watched.get(signal);
  if (found === undefined) {
    signal.removeEventListener('abort', listener);
    return;
  }
  found.listeners.delete(listener);
  if (found.listeners.size > 0) return;
  watched.delete(signal);
  signal.removeEventListener('abort', found.tell);
}
