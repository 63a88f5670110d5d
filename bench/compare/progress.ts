/** How far a run is: a bar with the time left on a terminal, a line per block elsewhere. */

import { SingleBar } from 'cli-progress';

/** Tells a person how far a run is. */
export interface Progress {
  start(calls: number): void;
  /** Corrects how many calls there will be, those made already included. */
  expect(calls: number): void;
  /** Block -1 is the warm-up. */
  block(block: number, blocks: number): void;
  called(): void;
  stop(): void;
}

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Time left is told from the time that the calls so far have taken, which each block repeats in another order. */
export function createProgress(output: Output & NodeJS.WriteStream): Progress {
  return output.isTTY ? new BarProgress(output) : new LineProgress(output);
}

const blockName = (block: number, blocks: number): string =>
  block < 0 ? 'warm-up' : `block ${block + 1} of ${blocks}`;

class BarProgress implements Progress {
  readonly #bar: SingleBar;

  constructor(stream: NodeJS.WriteStream) {
    const format = '{bar} {percentage} % | {value}/{total} calls | {eta_formatted} left | {block}';
    this.#bar = new SingleBar({ format, stream, hideCursor: true, etaBuffer: 500, stopOnComplete: true });
  }

  start(calls: number): void {
    this.#bar.start(calls, 0, { block: '' });
  }

  expect(calls: number): void {
    this.#bar.setTotal(calls);
  }

  block(block: number, blocks: number): void {
    this.#bar.update({ block: blockName(block, blocks) });
  }

  called(): void {
    this.#bar.increment();
  }

  stop(): void {
    this.#bar.stop();
  }
}

class LineProgress implements Progress {
  readonly #output: Output;
  readonly #startMs: number = performance.now();
  #warmMs = 0;
  #calls = 0;
  #done = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  start(calls: number): void {
    this.#calls = calls;
    this.#output.write(`${calls} calls\n`);
  }

  expect(calls: number): void {
    this.#calls = calls;
  }

  block(block: number, blocks: number): void {
    if (block === 0) this.#warmMs = performance.now();
    const seconds = (performance.now() - this.#startMs) / 1000;
    const perBlock = (performance.now() - this.#warmMs) / 1000 / block;
    const left = block > 0 ? `, about ${Math.ceil(perBlock * (blocks - block))} s left` : '';
    const done = `${this.#done} of ${this.#calls} calls done in ${Math.round(seconds)} s${left}`;
    this.#output.write(`${blockName(block, blocks)}: ${done}\n`);
  }

  called(): void {
    this.#done++;
  }

  stop(): void {
    const seconds = Math.round((performance.now() - this.#startMs) / 1000);
    this.#output.write(`${this.#done} of ${this.#calls} calls measured in ${seconds} s\n`);
  }
}
