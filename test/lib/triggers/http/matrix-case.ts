/** One row of the suite that runs through the fetch handler and the server. */

export const TOKEN = 'correct-horse';
export const BEARER: Readonly<Record<string, string>> = { authorization: `Bearer ${TOKEN}` };

export interface Case {
  readonly title: string;
  readonly send: readonly [method: string, path: string, body?: string | Uint8Array];
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  /** Headers of the answer; undefined means that it must not be there. */
  readonly answers?: Readonly<Record<string, string | undefined>>;
  readonly body?: string | RegExp;
  /** Members of a problem, its code without prefix. */
  readonly problem?: { readonly code: string; readonly detail?: RegExp; readonly members?: object };
}
