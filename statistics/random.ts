/** Repeatable randomness: a seed gives the same numbers on every machine. Pure but for a generator's own state. */

/** Gives the next number of a sequence, in [0, 1). */
export type Random = () => number;

/**
 * A generator of 32 bits of state, whose sequence repeats after 2^32 numbers (mulberry32, Ettinger 2017).
 * @param seed an integer; its lowest 32 bits count
 */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A whole number in [0, count), each as likely. */
export function pickFrom(count: number, random: Random): number {
  return Math.floor(random() * count);
}

/** Puts items into random order where they are, every order as likely (Fisher and Yates; Durstenfeld 1964). */
export function shuffle(items: unknown[], random: Random): void {
  for (let last = items.length - 1; last > 0; last--) {
    const other = pickFrom(last + 1, random);
    [items[last], items[other]] = [items[other], items[last]];
  }
}

/** The items in random order; the list given stays as it is. */
export function shuffled<Item>(items: readonly Item[], random: Random): Item[] {
  const result = [...items];
  shuffle(result, random);
  return result;
}
