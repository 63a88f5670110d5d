/** Types of files, for every version of WASI. */

/**
 * `filetype`: what an entry or a descriptor is. The `descriptor-type` of WASI 0.2 is told from it.
 * Source: WASI preview1, docs.md#filetype.
 */
export const FILETYPE = {
  unknown: 0,
  blockDevice: 1,
  characterDevice: 2,
  directory: 3,
  regularFile: 4,
  socketDgram: 5,
  socketStream: 6,
  symbolicLink: 7,
} as const;
