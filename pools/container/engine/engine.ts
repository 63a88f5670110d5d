/**
 * What Nebula asks of a container engine, whichever it is. `dockerode-engine.ts` is the one for Docker; another engine is
 * another file like it. Every promise rejects with an EngineError.
 */

import type { MachineMount } from '../../../host/capabilities/mounts/schema.ts';
import type { EngineUsage } from '../../../host/outcome.ts';

/** Why an engine did not do what it was asked for. */
export type EngineFault =
  /** What it was asked about is not there. */
  | 'missing'
  /** Something stands in the way that is already under way, such as a removal. */
  | 'conflict'
  /** The engine said no; its words are the message. */
  | 'refused'
  /** This user may not talk to it. */
  | 'forbidden'
  /** It is not there, did not answer, or went away. */
  | 'unavailable';

/** A failure of an engine; the message is the engine's own words, or those of the connection to it. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly fault: EngineFault;

  constructor(fault: EngineFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}

/** Nanoseconds that the engine took for each request for one container. */
export type RequestTimes = { -readonly [K in keyof EngineUsage['requestNs']]: number };

/**
 * A container to be made. Whatever it says, the engine gives it a read-only root file system, no Linux capability, no new
 * privileges, no swap, no core dump, no log and a stdin that ends with whoever is attached.
 */
export interface ContainerOptions {
  /** The image, by its reference or id. */
  readonly image: string;
  /** Arguments of the program; the image's own when empty. */
  readonly arguments: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** `none`, `host`, or the id of a network. */
  readonly network: string;
  readonly memoryBytes: number;
  /** Share of the machine's cores, such as 0.5 or 2; 0 is all of them. */
  readonly cpus: number;
  /** Processes and threads in it. */
  readonly pids: number;
  readonly openFiles: number;
  readonly mounts: readonly MachineMount[];
}

/** Where what a container writes goes, as it comes. */
export interface ContainerOutput {
  readonly onStdout: (chunk: Uint8Array) => void;
  readonly onStderr: (chunk: Uint8Array) => void;
}

/** The streams of a container while someone is attached to it. */
export interface ContainerStreams {
  /** Settles when all that the container wrote was handed over, or the connection broke; never rejects. */
  readonly ended: Promise<void>;
  write(chunk: Uint8Array): void;
  /** Writes the last of the input. */
  end(chunk: Uint8Array): void;
  /** Lets go of them. */
  destroy(): void;
}

/** How an engine saw a container end. */
export interface ContainerEnd {
  /** Whether the kernel ended it for the memory it took. */
  readonly isOutOfMemory: boolean;
  /** Nanoseconds from its start to its end, as the engine stamped them; undefined when the stamps do not tell. */
  readonly ranNs: number | undefined;
}

/** One container, by the name that it is made under or the id that it has. */
export interface EngineContainer {
  /** How long the engine took for each request so far, since `create`. */
  readonly requestNs: Readonly<RequestTimes>;
  create(options: ContainerOptions): Promise<void>;
  /** To be called before `start`, so that nothing it writes is lost. What is written waits in the engine for it. */
  attach(output: ContainerOutput): Promise<ContainerStreams>;
  start(): Promise<void>;
  /** Its exit code, once it has ended. */
  wait(): Promise<number>;
  kill(): Promise<void>;
  /** How it ended; to be asked after `wait`. */
  inspect(): Promise<ContainerEnd>;
  /** Removes it with all it wrote, killing it if it runs; settles as well when there is nothing to remove. */
  remove(): Promise<void>;
}

/** Kinds of things that an engine keeps, in the order in which they can be removed. */
export const ENGINE_KINDS = ['container', 'network', 'image'] as const;

/** One of `ENGINE_KINDS`. */
export type EngineKind = (typeof ENGINE_KINDS)[number];

/** Something an engine keeps that has a label. */
export interface Labelled {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A connection to an engine. */
export interface ContainerEngine {
  /** Where it listens, for messages. */
  readonly address: string;
  /** Settles when the engine is there. */
  ping(): Promise<void>;
  /** A container that may be there or is to be made; asks the engine for nothing. */
  container(name: string): EngineContainer;
  /**
   * Builds an image under a reference of a tar archive with its Dockerfile; answers its id. Whatever keeps it from being
   * built, the engine's report among it, is an EngineError `refused`.
   */
  buildImage(reference: string, context: Uint8Array, labels: Readonly<Record<string, string>>): Promise<string>;
  /** The id of an image that the engine has. */
  findImage(reference: string): Promise<string>;
  /** Makes a network whose containers reach addresses outside and not each other; answers its id. */
  createNetwork(name: string, labels: Readonly<Record<string, string>>): Promise<string>;
  /** All of a kind that have a label, whatever its value. */
  list(kind: EngineKind, label: string): Promise<Labelled[]>;
  /** Removes one of a kind; settles as well when there is nothing to remove. */
  remove(kind: EngineKind, id: string): Promise<void>;
  /** Closes the connection. */
  close(): void;
}
