/** What a command is doing, on stderr: nothing about what is quick, else a line every two seconds, which a terminal updates. */

import { printable } from '../wire/printable.ts';

/** A command is not silent for longer. */
const TELL_MS = 1900;
const CLEAR_LINE = '\r\u001b[2K';

/** Does `work`, and tells meanwhile what it says it is doing; `what` is that at first. */
export async function withProgress<T>(what: string, work: (say: (step: string) => void) => Promise<T>): Promise<T> {
  const { stderr } = process;
  const startedMs = performance.now();
  let step = what;
  let isShown = false;
  const tell = (): void => {
    const line = `${printable(step)}, ${Math.round((performance.now() - startedMs) / 1000)} s`;
    stderr.write(stderr.isTTY ? `${CLEAR_LINE}${line.slice(0, Math.max(stderr.columns - 1, 20))}` : `${line}\n`);
    isShown = true;
  };
  const timer = setInterval(tell, TELL_MS);
  try {
    return await work((next) => {
      step = next;
    });
  } finally {
    clearInterval(timer);
    if (isShown && stderr.isTTY) stderr.write(CLEAR_LINE);
  }
}
