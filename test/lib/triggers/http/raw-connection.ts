/** A socket that says exactly what a test wants, for what no HTTP client would send. */

import { connect, type Socket } from 'node:net';

export class RawConnection {
  readonly socket: Socket;
  /** Resolves when the server has closed or reset the connection. */
  readonly closed: Promise<void>;
  #received = '';
  #waiting: (() => void)[] = [];

  constructor(url: string) {
    this.socket = connect(Number(new URL(url).port), '127.0.0.1');
    this.socket.on('data', (chunk) => {
      this.#received += chunk.toString('latin1');
      this.#wake();
    });
    // A reset shows as a close as well.
    this.socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        resolve();
        this.#wake();
      });
    });
  }

  get received(): string {
    return this.#received;
  }

  write(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Everything received once it matches; throws when the connection closes before. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.#received)) {
      if (this.socket.closed) throw new Error(`The connection closed after ${JSON.stringify(this.#received)}`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#received;
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
