/** What a route is: one method of a path, who may use it, what it takes and answers, and what it does. */

import { Type, type TSchema } from 'typebox';
import type { Nebula } from '../../api/nebula.ts';
import type { BearsToken, Sender } from './authorization.ts';
import type { Answer, Exchange } from './exchange.ts';
import type { Metrics } from './metrics.ts';

/** What routes need to answer. */
export interface RouteContext {
  readonly nebula: Nebula;
  /** Bytes a deployed module may have. */
  readonly moduleBytes: number;
  /** Whether no calls should be sent here any more. */
  readonly isDraining: boolean;
  /** Whether whoever sent a request may manage functions. */
  mayManage(sender: Sender): boolean;
  /** Whether a request bears the token of the management routes. */
  readonly bearsToken: BearsToken;
  /** The metrics, which are created when they are first asked for. */
  metrics(): Promise<Metrics>;
}

/** One kind of answer that is no problem. */
export interface AnswerSchema {
  readonly description: string;
  /** Absent where there is no body, or the guest chooses. */
  readonly mediaType?: string;
  /** Of the body. */
  readonly schema?: TSchema;
  /** Whether the fields that tell of a call are with it. */
  readonly hasOutcome?: true;
}

/** What a route takes and answers. */
export interface RouteSchema {
  readonly summary: string;
  /** Fields of the request that it reads, and what each holds. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Parameters of the query that it reads, and what each holds. */
  readonly query?: Readonly<Record<string, string>>;
  /** The request's body by media type. */
  readonly body?: Readonly<Record<string, TSchema>>;
  readonly isBodyRequired?: true;
  /** By status; `default` for what a guest chooses. */
  readonly answers: Readonly<Record<string, AnswerSchema>>;
  /** Statuses of failures, beside 400 and 500, which every route may have. */
  readonly problems: readonly number[];
}

/** One method of a path. */
export interface Route {
  /** `ANY` is each but TRACE. A GET answers HEAD too. */
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'ANY';
  /** `:name` is a function's name, `*` whatever follows. */
  readonly path: string;
  /** Whether only who may manage functions may use it. */
  readonly managed: boolean;
  readonly schema: RouteSchema;
  /** Answers a request. @throws NebulaError, MalformedRequest */
  run(context: RouteContext, exchange: Exchange, name: string): Answer | Promise<Answer>;
}

/** The bytes of a body, whatever they are. */
export const BYTES: TSchema = Type.String({ format: 'binary' });

/** Bytes in a JSON text. */
export const BASE64: TSchema = Type.String({ contentEncoding: 'base64' });

/** An answer in JSON. */
export function inJson(description: string, schema: TSchema): AnswerSchema {
  return { description, mediaType: 'application/json', schema };
}
