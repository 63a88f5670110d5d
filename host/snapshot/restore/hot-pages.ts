/** Learns which pages runs touch again and again, from a look at a few runs: often at first, rarely later. */

/** A page is hot when this share of the looks found it touched: below, dropping it is cheaper than copying it. */
const HOT_SHARE = 0.25;

/** Ranges nearer than this are copied as one: a further range to drop costs what copying so much does. */
export const MERGE_BYTES = 16_384;

/** Copied at most; a run that touches more is cheaper to drop as a whole. */
const MOST_BYTES: number = 4 * 2 ** 20;

/** Looks are taken at each of the first runs, then at every power of two, then at every so many runs. */
const EARLY_RUNS = 4;
const LATE_RUNS = 4096;

/** Scores are halved when they reach this many looks, so that a changed habit is learnt. */
const MEMORY_LOOKS = 16;

function isLook(run: number): boolean {
  return run <= EARLY_RUNS || (run < LATE_RUNS ? (run & (run - 1)) === 0 : run % LATE_RUNS === 0);
}

/** What is known of the pages that runs of one micro-VM touch. */
export class HotPages {
  readonly #mergePages: number;
  readonly #mostPages: number;
  readonly #scores: Map<number, number> = new Map();
  #looks = 0;
  #runs = 0;
  #ranges: readonly (readonly [from: number, to: number])[] = [];

  /** For a machine whose pages have so many bytes. */
  constructor(pageBytes: number) {
    this.#mergePages = Math.ceil(MERGE_BYTES / pageBytes);
    this.#mostPages = MOST_BYTES / pageBytes;
  }

  /** Counts a run and tells whether to look at it. */
  isDue(): boolean {
    return isLook(++this.#runs);
  }

  /** Whether the next run is to be looked at. It must find no page present, or what is copied back looks touched. */
  isNextDue(): boolean {
    return isLook(this.#runs + 1);
  }

  /** Takes the pages a run touched, as ranges of page numbers; true when the hot ranges changed. */
  learn(touched: readonly (readonly [from: number, to: number])[]): boolean {
    this.#looks++;
    for (const [from, to] of touched) {
      for (let page = from; page < Math.min(to, from + this.#mostPages); page++) {
        this.#scores.set(page, (this.#scores.get(page) ?? 0) + 1);
      }
    }
    const ranges = this.#hotRanges();
    if (this.#looks >= MEMORY_LOOKS) this.#forget();
    const changed = String(ranges) !== String(this.#ranges);
    this.#ranges = ranges;
    return changed;
  }

  /** The hot pages, in order, as ranges of page numbers. */
  ranges(): readonly (readonly [from: number, to: number])[] {
    return this.#ranges;
  }

  #hotRanges(): (readonly [number, number])[] {
    const needed = this.#looks * HOT_SHARE;
    const pages = [...this.#scores].filter(([, score]) => score >= needed).map(([page]) => page);
    if (pages.length > this.#mostPages) return [];
    pages.sort((left, right) => left - right);
    const ranges: [number, number][] = [];
    for (const page of pages) {
      const last = ranges.at(-1);
      if (last !== undefined && page - last[1] < this.#mergePages) last[1] = page + 1;
      else ranges.push([page, page + 1]);
    }
    return ranges;
  }

  #forget(): void {
    this.#looks = Math.floor(this.#looks / 2);
    for (const [page, score] of this.#scores) {
      if (score <= 1) this.#scores.delete(page);
      else this.#scores.set(page, Math.floor(score / 2));
    }
  }
}
