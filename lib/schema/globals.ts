/**
 * The web's classes as whoever compiles against Nebula has them: those of TypeScript's DOM library, else those of @types/node,
 * else the little of them that Nebula uses itself. Types only.
 */

declare global {
  // Joined with the platform's own where there are such: a declaration that names them is whole without, too.
  interface AbortSignal {
    readonly aborted: boolean;
  }
  interface URL {
    href: string;
  }
}

/** The class `Name` of the globals; `Else` where there is none. */
type GlobalOf<Name extends string, Else> =
  typeof globalThis extends Readonly<Record<Name, { readonly prototype: infer Found }>> ? Found : Else;

/** The global `Response`. */
export type WebResponse = GlobalOf<'Response', ResponseLike>;

/** The fields of a Request that are read: of the global class, of undici's, and of others that are made like it. */
export interface RequestLike {
  readonly method: string;
  readonly url: string;
  readonly headers: HeadersLike;
  /** A ReadableStream of bytes, or null. */
  readonly body: object | null;
  readonly signal: AbortSignal;
}

/** The fields of Headers that are read; they can be iterated over, too. */
export interface HeadersLike {
  get(name: string): string | null;
  has(name: string): boolean;
}

/** A Response where the globals have no type for it. */
export interface ResponseLike {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: HeadersLike;
  readonly body: object | null;
  text(): Promise<string>;
  json(): Promise<unknown>;
  arrayBuffer(): Promise<ArrayBuffer>;
}
