/** Heads of HTTP messages as plain data. */

/** Names and values of header fields in order; values are bytes, one a character (Latin-1). */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** The head of a request, its target in parts. */
export interface RequestHead {
  readonly method: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly pathWithQuery: string;
  readonly headers: HeaderList;
}

/** The head of a response. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
}
