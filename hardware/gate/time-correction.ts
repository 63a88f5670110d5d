/**
 * How the kernel corrects its time now: adjtimex(2) without a change, through koffi where it is installed. NTP slews the
 * monotonic clock too, which is the clock of the markers.
 */

/** The kernel's correction of its clock. */
export interface TimeCorrection {
  /** Rate that it adds, in millionths. */
  readonly frequencyPpm: number;
  /** What is still to be slewed away, in seconds. */
  readonly offsetS: number;
  /** Whether a program (NTP) steers the clock at all. */
  readonly isSteered: boolean;
}

const STATUS_PLL = 0x0001;
const STATUS_UNSYNCHRONISED = 0x0040;
const STATUS_NANO = 0x2000;

/** struct timex on a 64-bit Linux: modes, offset, freq, maxerror, esterror, status. */
export function parseTimex(bytes: DataView): TimeCorrection {
  const word = (at: number): number => Number(bytes.getBigInt64(at, true));
  const status = bytes.getInt32(40, true);
  return {
    // 16 bits of fraction.
    frequencyPpm: word(16) / 65_536,
    offsetS: word(8) / (status & STATUS_NANO ? 1e9 : 1e6),
    isSteered: (status & STATUS_PLL) !== 0 && (status & STATUS_UNSYNCHRONISED) === 0,
  };
}

const TIMEX_BYTES = 208;

/** Undefined where it cannot be asked: no koffi, no Linux of 64 bits. */
export async function readTimeCorrection(): Promise<TimeCorrection | undefined> {
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) return undefined;
  try {
    const { default: koffi } = await import('koffi');
    const adjtimex = koffi.load(null).func('int adjtimex(void *timex)') as (timex: Uint8Array) => number;
    const timex = new Uint8Array(TIMEX_BYTES);
    return adjtimex(timex) < 0 ? undefined : parseTimex(new DataView(timex.buffer));
  } catch {
    return undefined;
  }
}
