/** Tells on stderr, every two seconds, that a run is under way: from a process of its own, so that nothing of it is in what is measured. */

import { spawn } from 'node:child_process';

/** A command is not silent for longer. */
const TELL_MS = 1900;

/** Ends with its stdin, which closes when whoever measures ends in whatever way. A terminal has one line, which is updated. */
const PROGRAM = `
const [what, tellMs] = process.argv.slice(1);
const { stderr } = process;
const tell = () => {
  const line = what + ', ' + Math.round(performance.now() / 1000) + ' s';
  stderr.write(stderr.isTTY ? '\\r\\u001b[2K' + line : line + '\\n');
};
setInterval(tell, Number(tellMs));
process.on('SIGINT', () => undefined);
process.stdin.resume().on('end', () => {
  if (stderr.isTTY) stderr.write('\\r\\u001b[2K');
  process.exit();
});
`;

/** @returns what ends it, and resolves once it has ended */
export function startTicker(what: string): () => Promise<void> {
  const child = spawn(process.execPath, ['--eval', PROGRAM, what, String(TELL_MS)], {
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const ended = new Promise<void>((done) => {
    child.once('error', () => done());
    child.once('close', () => done());
  });
  return () => {
    child.stdin.end();
    return ended;
  };
}
