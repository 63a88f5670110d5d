/** What executors tell of themselves. Types only. */

/** A function that has no threads for a while, since its calls kept ending theirs. */
export interface PausedFunction {
  readonly name: string;
  /** Calls of it that ended their threads of late. */
  readonly endings: number;
  /** Milliseconds until it is called again. */
  readonly forMs: number;
}

/** What an executor does at this moment, and what it has done since it was made. */
export interface ExecutorStats {
  readonly running: number;
  /** Calls whose guests are suspended, or were and go on: they hold no thread while they wait. */
  readonly suspended: number;
  readonly waiting: number;
  /** Threads, containers or processes alive. */
  readonly units: number;
  /** Units lost to deadlines, aborts or crashes since the start. */
  readonly unitsReplaced: number;
  /** Guests stopped since the start, by a deadline, an abort or a limit of time or units, whose units live on. */
  readonly stops: number;
  /** Micro-VMs put back after an answer since the start, or dropped because they could not be; only these have that. */
  readonly restores: number;
  /** How long that took in all, in nanoseconds. No caller waited for it, unless the next call came before its end. */
  readonly restoresNs: number;
  /** Memories alive, and how many there may be. */
  readonly memories: number;
  readonly memoriesLimit: number;
  /** Functions that are paused now, and pauses since the start; only where guests run on threads. */
  readonly paused?: readonly PausedFunction[];
  readonly pauses?: number;
}
