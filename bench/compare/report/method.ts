/** The method in a few sentences, for whoever has only the report; docs/method.md has all of it. */

/** How a comparison is measured, in sentences for the report; docs/method.md has all of it. */
export const METHOD: readonly string[] = [
  'Every target runs the same function from the same source with the same input; every answer was compared with the expected one, and one wrong answer voids the run.',
  'In each block every cell (target, function, input) has its turn once, in a new random order from the printed seed. Warm-ups come before the first block, are kept as rows that say so, and are in no statistic.',
  "start is the time from the request to the guest's first own instruction, run from there until its answer is there, answer from there until the caller has all of it, teardown from there until the target is as it was before. The guest takes both stamps itself, with the same source in Wasm and natively, on CLOCK_MONOTONIC, which machine and container share.",
  'A failed call is a row with its reason. Nothing is dropped, and no outlier is removed.',
  'Intervals are 95 % percentile intervals of a hierarchical bootstrap: blocks are drawn, then calls within blocks; both sides of a ratio are drawn from the same blocks. Ratios are of medians; over functions they are averaged geometrically.',
  'Break-even: a call is modelled as a fixed part plus its own run, which Wasm stretches by a factor; fixed parts and factor are medians at the largest input.',
  'Guests in micro-VMs share one process and are separated by the WebAssembly sandbox of V8; containers are separated by the kernel. The comparison is of time, not of isolation.',
];
