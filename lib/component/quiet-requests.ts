/**
 * Requests whose guests have told nothing yet. To be woken by another thread costs more than most guests do, so nobody
 * listens to a guest that answers at once: its outcome says that its response is there. Those that take longer are looked at
 * in turn, and listened to from what they told first.
 */

/** A request whose guest may run. */
export interface QuietRequest {
  /** Whether its guest has told something, or waits for its client. */
  readonly hasNews: boolean;
  /** Tells whoever waits for that. */
  tell(): void;
}

/** By how much the first part of a response that takes longer may be late, among few. */
const LOOK_MS = 2;
/** Looks at once: a thousand guests that wait would have the caller's thread look at them for a tenth of its time. */
const MOST_LOOKS = 128;

const quiet: Set<QuietRequest> = new Set();
let timer: NodeJS.Timeout | undefined;
/** Those whose turn it is next; requests that come meanwhile are behind them. */
let next = quiet.values();

/** Has `tell` called when there is news, unless `leave` comes first. */
export function lookAt(request: QuietRequest): void {
  quiet.add(request);
  timer ??= setInterval(look, LOOK_MS).unref();
}

/** Looks at a request no more. */
export function leave(request: QuietRequest): void {
  quiet.delete(request);
}

function look(): void {
  if (quiet.size === 0) {
    clearInterval(timer);
    timer = undefined;
    return;
  }
  for (let looks = 0; looks < MOST_LOOKS; looks++) {
    const { done, value: request } = next.next();
    if (done === true) {
      next = quiet.values();
      return;
    }
    if (!request.hasNews) continue;
    quiet.delete(request);
    request.tell();
  }
}
