/**
 * A power curve whose energy is known exactly: constants, lines and waves, each with its antiderivative written down. Nothing
 * here is shared with hardware/analysis, which integrates samples.
 */

/** A wave of mean 0 from the piece's start on. */
export interface Wave {
  readonly shape: 'sine' | 'square';
  /** From the mean to the crest of a sine; from low to high of a square, in W. */
  readonly amplitudeW: number;
  readonly periodS: number;
  /** Share of the period for which a square is high. */
  readonly duty: number;
}

/** What runs for a while on top of the idle machine. */
export interface Piece {
  readonly fromS: number;
  readonly toS: number;
  readonly powerW: number;
  readonly wave?: Wave;
}

/** Idle power at a time; lines between knots. */
export interface Knot {
  readonly timeS: number;
  readonly powerW: number;
}

/** Power and energy at any time. */
export interface Curve {
  powerW(timeS: number): number;
  /** Since time 0, in J. */
  energyJ(timeS: number): number;
  /** Since time 0 of the idle machine alone, in J. */
  idleJ(timeS: number): number;
}

function waveW({ shape, amplitudeW, periodS, duty }: Wave, sinceS: number): number {
  const turn = sinceS / periodS;
  if (shape === 'sine') return amplitudeW * Math.sin(2 * Math.PI * turn);
  return turn - Math.floor(turn) < duty ? amplitudeW * (1 - duty) : -amplitudeW * duty;
}

/** The wave's antiderivative, 0 at its start. */
function waveJ({ shape, amplitudeW, periodS, duty }: Wave, sinceS: number): number {
  const turn = sinceS / periodS;
  if (shape === 'sine') return ((amplitudeW * periodS) / (2 * Math.PI)) * (1 - Math.cos(2 * Math.PI * turn));
  const phase = turn - Math.floor(turn);
  return amplitudeW * periodS * (phase < duty ? (1 - duty) * phase : duty * (1 - phase));
}

const pieceJ = ({ fromS, powerW, wave }: Piece, untilS: number): number =>
  powerW * (untilS - fromS) + (wave === undefined ? 0 : waveJ(wave, untilS - fromS));

/** Index of the last item that starts at or before a time; -1 before the first. */
function lastAt(starts: Float64Array, timeS: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] as number) <= timeS) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** @param pieces in order of time, none over another; @param knots at least two, from time 0 on to the end */
export function curveOf(knots: readonly Knot[], pieces: readonly Piece[]): Curve {
  const knotS = Float64Array.from(knots, ({ timeS }) => timeS);
  const pieceS = Float64Array.from(pieces, ({ fromS }) => fromS);
  const untilKnotJ = new Float64Array(knots.length);
  for (let at = 1; at < knots.length; at++) {
    const [left, right] = [knots[at - 1] as Knot, knots[at] as Knot];
    untilKnotJ[at] = (untilKnotJ[at - 1] as number) + ((left.powerW + right.powerW) / 2) * (right.timeS - left.timeS);
  }
  const beforePieceJ = new Float64Array(pieces.length + 1);
  for (const [at, piece] of pieces.entries()) {
    beforePieceJ[at + 1] = (beforePieceJ[at] as number) + pieceJ(piece, piece.toS);
  }
  const idleAt = (timeS: number): { powerW: number; energyJ: number } => {
    const at = Math.max(0, Math.min(knots.length - 2, lastAt(knotS, timeS)));
    const [left, right] = [knots[at] as Knot, knots[at + 1] as Knot];
    const sinceS = timeS - left.timeS;
    const slope = (right.powerW - left.powerW) / (right.timeS - left.timeS);
    const powerW = left.powerW + slope * sinceS;
    return { powerW, energyJ: (untilKnotJ[at] as number) + ((left.powerW + powerW) / 2) * sinceS };
  };
  const workAt = (timeS: number): { powerW: number; energyJ: number } => {
    const at = lastAt(pieceS, timeS);
    const piece = pieces[at];
    if (piece === undefined) return { powerW: 0, energyJ: 0 };
    if (timeS >= piece.toS) return { powerW: 0, energyJ: beforePieceJ[at + 1] as number };
    const own = piece.powerW + (piece.wave === undefined ? 0 : waveW(piece.wave, timeS - piece.fromS));
    return { powerW: own, energyJ: (beforePieceJ[at] as number) + pieceJ(piece, timeS) };
  };
  return {
    powerW: (timeS) => idleAt(timeS).powerW + workAt(timeS).powerW,
    energyJ: (timeS) => idleAt(timeS).energyJ + workAt(timeS).energyJ,
    idleJ: (timeS) => idleAt(timeS).energyJ,
  };
}
