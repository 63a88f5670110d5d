/** What a function exports, and what it is given, as types of its callers. */

/** Functions that a module or component exports, by the names `call` takes: what `nebula types` writes as `Calls`. */
export type Calls<Exported> = { readonly [Path in keyof Exported]: (...values: never[]) => unknown };

/** Any name, any values: what holds where nothing is known of what is exported. */
export type AnyCalls = Readonly<Record<string, (...values: unknown[]) => unknown>>;

/** A guest's stdin; text is UTF-8. */
export type Input = Uint8Array | string;

/** A guest's stdin as it comes, such as a ReadableStream. */
export type InputStream = AsyncIterable<Uint8Array>;
