/** What a worker answers: in the box of shared memory, and over the port, which also calls for the box to be looked into. */

import { receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import type { AnswerBox, OnOutcome, OnParked } from './answer-box.ts';
import { ANSWERS_LEFT, type Answer, type LaterAnswers } from './messages.ts';

/** An answer that came over the port. */
export type Told = Exclude<Answer, typeof ANSWERS_LEFT | LaterAnswers>;

/** Told of answers, in the order in which they were left. */
export interface InboxEvents {
  readonly onOutcome: OnOutcome;
  readonly onParked: OnParked;
  readonly onAnswer: (answer: Told) => void;
  /** The worker is heard: what it was told may have changed what it is to be sent. */
  readonly onHeard: () => void;
  /** All that had been answered was told. */
  readonly onTold: () => void;
}

/** The answers of one worker on their way back. */
export class Inbox {
  readonly #port: MessagePort;
  readonly #answers: AnswerBox;
  readonly #events: InboxEvents;
  #isClosed = false;

  constructor(port: MessagePort, answers: AnswerBox, events: InboxEvents) {
    this.#port = port;
    this.#answers = answers;
    this.#events = events;
    port.on('message', (answer: Answer) => this.hear(answer));
  }

  /** Tells of what was left in the box, without waiting to be called for it. */
  collect(): void {
    if (!this.#isClosed) this.#answers.take(this.#events.onOutcome, this.#events.onParked);
  }

  /** The same with what travels over the port and has not been heard yet. */
  collectAll(): void {
    this.collect();
    for (let hasHeard = false; ; hasHeard = true) {
      const received: { message: Answer } | undefined = this.#isClosed ? undefined : receiveMessageOnPort(this.#port);
      if (received === undefined) {
        // The event loop will not hear it any more.
        if (hasHeard) queueMicrotask(this.#events.onTold);
        return;
      }
      // Those in the box will not be called for again.
      if (received.message === ANSWERS_LEFT) this.collect();
      else this.#tell(received.message);
    }
  }

  /** Tells of no more than was heard. */
  close(): void {
    this.#isClosed = true;
  }

  hear(answer: Answer): void {
    // Those in the box were left before what came over the port, or are as good as that.
    this.collect();
    if (answer !== ANSWERS_LEFT) this.#tell(answer);
    this.#events.onHeard();
    this.#events.onTold();
  }

  #tell(answer: Told | LaterAnswers): void {
    if (!('later' in answer)) this.#events.onAnswer(answer);
    else for (const each of answer.later) this.#events.onAnswer(each);
  }
}
