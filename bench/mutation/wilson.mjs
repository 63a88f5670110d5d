const Z = 1.959_963_984_540_054;

/** The interval of a share that 95 of 100 samples give around the true one. Source: Wilson, JASA 22 (1927), 209-212. */
export function wilson95(hits, of) {
  if (of === 0) return [0, 1];
  const share = hits / of;
  const square = (Z * Z) / of;
  const middle = (share + square / 2) / (1 + square);
  const half = (Z * Math.sqrt((share * (1 - share)) / of + square / (4 * of))) / (1 + square);
  return [middle - half, middle + half];
}
