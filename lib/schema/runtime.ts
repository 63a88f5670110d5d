/** What runs a function, and how that is started: `runtime`, `container` and `process` in a manifest. */

import { Type } from 'typebox';
import { CLOSED, oneOf, text } from '../../host/schema/elements.ts';
import type { ReadonlyStatic } from '../../host/schema/static.ts';
import { NETWORKS } from '../../pools/container/definition.ts';

/** What runs functions: micro-VMs, containers made of native programs, or such programs as child processes. */
export const RUNTIMES = ['wasm', 'container', 'process'] as const;

/** What runs a function: a micro-VM, a container made of a native program, or that program as a child process. */
export type Runtime = (typeof RUNTIMES)[number];

/** The characters of image references; the engine reads the rest of the grammar. A Dockerfile gets nothing but these. */
const IMAGE = text('^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,511}$', 'the reference of an image');

const processFields = {
  /** `cold` (default): one for each call. `warm`: kept, and answers frames. */
  mode: Type.Optional(oneOf(['cold', 'warm'])),
  /** How long a kept one may wait for its next call, in milliseconds; 0 is without end; default 300,000. */
  idleTimeoutMs: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 2 ** 31 - 1, description: 'an integer from 0 to 2147483647' }),
  ),
};

/** Schema of `process` in a manifest. */
export const processSchema = Type.Object(processFields, CLOSED);

/** How native guests are started (pools/native/backend.ts). */
export interface ProcessOptions extends ReadonlyStatic<typeof processSchema> {}

/** Schema of `container` in a manifest. */
export const containerSchema = Type.Object(
  {
    ...processFields,
    /** An image that the engine has; without it one is built of the program that `module` names. */
    image: Type.Optional(IMAGE),
    /** Image to build upon; default `scratch`. */
    base: Type.Optional(IMAGE),
    /** What its network reaches: nothing outside (default), addresses outside, or all that the machine does. */
    network: Type.Optional(oneOf(NETWORKS)),
    /** Cores' worth of time; default 0, which is all. */
    cpus: Type.Optional(Type.Number({ minimum: 0, maximum: 1024, description: 'a number from 0 to 1024' })),
    /** Processes and threads in one container; default 64. */
    pids: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, description: 'an integer from 1 to 100000' })),
  },
  CLOSED,
);

/** How containers are started. Memory, open files, concurrency and the rest are in `limits`. */
export interface ContainerOptions extends ReadonlyStatic<typeof containerSchema> {}
