/** What `createNebula` takes. */

import { Type } from 'typebox';
import { CLOSED, oneOf, text } from '../../host/schema/elements.ts';
import type { Bindings, OnBindingError } from '../../host/bindings/bindings.ts';
import type { ReadonlyStatic } from '../../host/schema/static.ts';
import { limitsSchema } from './limits.ts';
import type { LogRecord } from './log-record.ts';
import { RUNTIMES } from './runtime.ts';
import { tokenSchema } from './token.ts';

function count(minimum: number) {
  const description = `an integer of at least ${minimum}`;
  return Type.Integer({ minimum, maximum: Number.MAX_SAFE_INTEGER, description });
}

/** What is told when a window opens and closes. Both are called on the thread that called `createNebula`. */
export interface Markers {
  /** A window opens. `label` is unique within one Nebula: the function's name, `#` and a count. */
  start(label: string): void;
  /** It closes; `calls` invocations ran in it. */
  end(label: string, calls: number): void;
}

/** Schema of the options of `createNebula`. */
export const nebulaOptionsSchema = Type.Object(
  {
    /** `worker` (default): worker threads, deadlines enforced. `in-thread`: this thread, for trusted guests. */
    executor: Type.Optional(oneOf(['worker', 'in-thread'], '"worker" or "in-thread"')),
    /** Worker threads that run guests; default: the machine's cores. */
    threads: Type.Optional(count(1)),
    /** Worker threads that there may be while the guests of all wait; default: `threads`, and never fewer. */
    mostThreads: Type.Optional(count(1)),
    /** Workers kept ready beyond `threads`, so that a deadline does not cost the next caller; default 1. */
    spareThreads: Type.Optional(count(0)),
    /** Directory in which deployed functions persist. Without it they live as long as the process. */
    store: Type.Optional(text('^[^\\u0000]+$', 'the path of a directory')),
    /** Limits for functions whose manifest names none. */
    limits: Type.Optional(limitsSchema),
    /** Bearer token of the management routes and metrics, where `fetch` is mounted; without it they are closed there. */
    token: Type.Optional(tokenSchema),
    /** Compare every micro-VM with its snapshot before each run. */
    audit: Type.Optional(Type.Boolean({ description: 'a boolean' })),
    /** Memories alive at once; default: derived from the machine. */
    memories: Type.Optional(count(1)),
    /**
     * Runtimes that manifests may name; default `wasm` and `container`. Nothing confines a `process` but its deadline:
     * whoever may deploy one may do what this process may.
     */
    runtimes: Type.Optional(
      Type.Array(oneOf(RUNTIMES), { description: 'a list of "wasm", "container" and "process"' }),
    ),
    /**
     * Functions that guests may call whose manifests name them in `capabilities.bindings`, by the name of a binding and their own.
     * They run on the thread that called `createNebula`.
     */
    bindings: Type.Optional(Type.Unsafe<Bindings>({ type: 'object', description: 'an object of bindings' })),
    /** Told of what a binding threw that was no BindingError: its guest is told only that it failed. */
    onBindingError: Type.Optional(Type.Unsafe<OnBindingError>({ methods: ['call'], description: 'a function' })),
    /** Socket of the container engine; default: DOCKER_HOST, or the usual one. */
    dockerSocket: Type.Optional(text('^[^\\u0000]+$', 'the path of a socket')),
    /**
     * Told when an invocation starts and ends, as a GPIO pin that a power logger sees. A window lasts from right before the
     * executor is asked to the answer: with `in-thread` it is the run and what puts the call before it back, with `worker`,
     * containers and processes the queue and the way there and back too. Calls that overlap are one window. What fails in a
     * marker fails no call; `stats().markers` counts it.
     */
    markers: Type.Optional(
      Type.Unsafe<Markers>({
        methods: ['start', 'end'],
        description: 'an object with the functions start and end',
      }),
    ),
    /**
     * Told of each record of the log, on the thread that called `createNebula`: deploys, failures, and what guests write to
     * stderr, of each function at most 100 a second. It is on the path of what it tells of. What it throws fails no call;
     * `stats().log` counts it.
     */
    onLog: Type.Optional(Type.Unsafe<(record: LogRecord) => void>({ callable: true, description: 'a function' })),
  },
  { ...CLOSED, description: 'an object' },
);

/** What `createNebula` takes; every option may be left out. */
export interface NebulaOptions extends ReadonlyStatic<typeof nebulaOptionsSchema> {}
