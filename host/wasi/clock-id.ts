/** `clockid`: the clocks of every version of WASI; 0.2 and later name the first two. Source: WASI preview1, docs.md#clockid. */
export const CLOCKID = { realtime: 0, monotonic: 1, processCputime: 2, threadCputime: 3 } as const;
