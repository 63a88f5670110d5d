/** What a reader must know before believing the energies, as data. Pure. */

import { failuresOf, FORCE_HINT, type GateStamp } from '../../hardware/gate/gates.ts';
import type { CellName } from '../compare/samples.ts';
import type { MeasuredRun } from './joules.ts';
import type { EnergyRecord } from './record.ts';
import { WHY_BATCHES_DIFFER } from './single-calls.ts';
import type { EnergyMeasured, EnergyMissing } from './summary.ts';

/** Something a reader must know of the energies, with its severity and what it is about. */
export interface EnergyFinding {
  readonly code:
    | 'synthetic'
    | 'no-source'
    | 'refused'
    | 'gate-failed'
    | 'gate-unchecked'
    | 'recording-ended'
    | 'lengthened'
    | 'estimate'
    | 'no-idle'
    | 'idle-extrapolated'
    | 'lost-samples'
    | 'lost-edges'
    | 'failed-marks'
    | 'unresolvable'
    | 'negative-net'
    | 'carry-over'
    | 'no-difference'
    | 'batch-differs'
    | 'steps'
    | 'slow-source'
    | 'malformed-rows';
  /** `void`: nothing may be concluded. `warning`: read with care. `note`: good to know. */
  readonly severity: 'void' | 'warning' | 'note';
  readonly message: string;
  readonly about: readonly string[];
}

/** What findings are looked for in; `run` and `measured` are undefined where `missing` is not. */
export interface EnergyFindingsInput {
  readonly record: EnergyRecord;
  readonly gates: GateStamp | null;
  readonly missing: EnergyMissing | undefined;
  readonly run: MeasuredRun | undefined;
  readonly measured: EnergyMeasured | undefined;
}

/** Below this chance under no carry-over it is told. */
const CARRY_OVER_CHANCE = 0.01;

type Code = EnergyFinding['code'];

const find = (
  code: Code,
  severity: EnergyFinding['severity'],
  message: string,
  about: readonly string[] = [],
): EnergyFinding => ({
  code,
  severity,
  message,
  about,
});

/** Finds everything a reader of energies must know. */
export function findEnergy(input: EnergyFindingsInput): EnergyFinding[] {
  const { missing, measured } = input;
  const synthetic = (missing ?? measured)?.synthetic === true;
  return [
    ...(synthetic ? [find('synthetic', 'void', `${madeUp(input)}; nothing may be concluded from these energies`)] : []),
    ...(missing === undefined ? [] : [missingFinding(missing)]),
    ...findGates(input.gates),
    ...findMarks(input.record),
    ...findLengthened(input.record),
    ...(measured === undefined ? [] : findMeasured(measured, input)),
  ];
}

function madeUp({ record }: EnergyFindingsInput): string {
  const power = record.power?.imported.trace.synthetic === true;
  const marks = record.session.marker.synthetic || record.log.synthetic;
  if (power) return marks ? 'neither was power measured nor did a pin move' : 'no power was measured';
  return 'no pin moved';
}

const missingFinding = ({ state, reason }: EnergyMissing): EnergyFinding =>
  state === 'no source'
    ? find('no-source', 'warning', `no source: ${reason}; there is no energy, and none is 0`)
    : find('refused', 'void', reason);

function findGates(gates: GateStamp | null): EnergyFinding[] {
  if (gates === null)
    return [find('gate-unchecked', 'warning', 'the run ended before its gates were read a second time')];
  const { failed, unchecked, forced } = gates;
  const stamp = `${failed.length === 1 ? 'a gate' : `${failed.length} gates`} failed: ${failuresOf(gates)}`;
  return [
    ...(failed.length === 0
      ? []
      : [
          find(
            'gate-failed',
            forced ? 'warning' : 'void',
            `${stamp}; ${forced ? 'kept by --force' : FORCE_HINT}`,
            failed,
          ),
        ]),
    ...(unchecked.length === 0
      ? []
      : [find('gate-unchecked', 'note', `the machine does not say: ${unchecked.join(', ')}`, unchecked)]),
  ];
}

function findMarks({ session }: EnergyRecord): EnergyFinding[] {
  const { failed, forgotten } = session.marker;
  const error = session.source?.recording.error;
  return [
    ...(failed.count === 0
      ? []
      : [find('failed-marks', 'warning', `${failed.count} marks failed: ${failed.first ?? ''}`)]),
    ...(forgotten === 0 ? [] : [find('failed-marks', 'warning', `${forgotten} edges were written and not remembered`)]),
    ...(error === undefined ? [] : [find('recording-ended', 'warning', `the recording ended early: ${error}`)]),
  ];
}

function findLengthened({ session }: EnergyRecord): EnergyFinding[] {
  const lengths = Object.entries(session.source?.lengthened ?? {});
  if (lengths.length === 0) return [];
  const changes = lengths.map(([name, { askedS, toS }]) => `${name} from ${askedS} s to ${toS} s`).join(', ');
  return [
    find(
      'lengthened',
      'note',
      `the source is slower than the plan: ${changes}`,
      lengths.map(([name]) => name),
    ),
  ];
}

const nameOf = (cell: CellName): string => `${cell.target} ${cell.function} ${cell.input}`;

function findMeasured(measured: EnergyMeasured, { run }: EnergyFindingsInput): EnergyFinding[] {
  const { source, clock, idle, cells } = measured;
  const found: EnergyFinding[] = [];
  if (source.estimate)
    found.push(find('estimate', 'warning', `${source.name} is an estimate, no measurement of all power`));
  if (idle === null) found.push(find('no-idle', 'void', 'no idle guard has samples: there are no net energies'));
  const without = run?.guards.without ?? [];
  if (without.length > 0 && idle !== null) {
    const message = `${without.length} idle guards are without a level: ${without[0]?.reason ?? ''}`;
    found.push(
      find(
        'lost-samples',
        'warning',
        message,
        without.map(({ id }) => id),
      ),
    );
  }
  const extrapolated = run?.windows.filter(({ kind, energy }) => kind === 'batch' && energy.idleExtrapolated) ?? [];
  if (extrapolated.length > 0) {
    const message = `${extrapolated.length} batches have an idle guard on one side only`;
    found.push(
      find(
        'idle-extrapolated',
        'warning',
        message,
        extrapolated.map(({ record }) => record.id),
      ),
    );
  }
  const uncovered = cells.filter((cell) => cell.withoutEnergy > 0);
  if (uncovered.length > 0) {
    const windows = uncovered.reduce((sum, cell) => sum + cell.withoutEnergy, 0);
    const message = `${windows} windows have no energy: too many of their samples are missing, or no idle level`;
    found.push(find('lost-samples', 'warning', message, uncovered.map(nameOf)));
  }
  if (source.counts.malformed > 0) {
    const message = `${source.counts.malformed} rows of the log could not be read: ${source.counts.firstMalformed ?? ''}`;
    found.push(find('malformed-rows', 'warning', message));
  }
  if (clock !== null && clock.lostEdges + clock.spuriousEdges > 0) {
    const message = `${clock.lostEdges} edges are not in the recording, ${clock.spuriousEdges} in it are of no mark`;
    found.push(find('lost-edges', 'note', `${message}; windows without an edge are placed by the clock fit`));
  }
  return [...found, ...findSource(measured), ...findConclusions(measured), ...findSingleCalls(measured)];
}

/** What of the source its values show, and what follows for the windows. */
function findSource({ source, cells }: EnergyMeasured): EnergyFinding[] {
  const { resolution, responseS, rule } = source;
  const found: EnergyFinding[] = [];
  const none = cells.filter(({ unit }) => unit === 'none').length;
  if (resolution > 0 && none > 0) {
    const steps = `values have steps of ${Number(resolution.toPrecision(3))} ${rule === 'counter' ? 'J' : 'W'}`;
    found.push(find('steps', 'note', `${steps}, which no length of a batch averages away`));
  }
  if (responseS > 0) {
    const late = `a change of power is all in the values after ${Number(responseS.toPrecision(3))} s`;
    found.push(find('slow-source', 'note', `${late}: so much of each batch is told by the rest of it`));
  }
  return found;
}

/** Why single calls and batches of them have other time ratios. */
function findSingleCalls({ singleCalls }: EnergyMeasured): EnergyFinding[] {
  const differing = singleCalls.filter(({ differs }) => differs);
  if (differing.length === 0) return [];
  const message = `in ${differing.length} of ${singleCalls.length} pairs the time ratio of the energies is not that of single calls: ${WHY_BATCHES_DIFFER}`;
  return [find('batch-differs', 'note', message, differing.map(nameOf))];
}

/** What may be concluded of the cells, and what not. */
function findConclusions({ cells, carryOver, ratios }: EnergyMeasured): EnergyFinding[] {
  const found: EnergyFinding[] = [];
  const none = cells.filter(({ unit }) => unit === 'none');
  if (none.length > 0) {
    const message = `${none.length} of ${cells.length} cells cannot be resolved by this source: no energy is claimed for them`;
    found.push(find('unresolvable', 'warning', message, none.map(nameOf)));
  }
  const negative = cells.reduce((sum, cell) => sum + cell.negative, 0);
  if (negative > 0)
    found.push(find('negative-net', 'note', `${negative} windows have a net energy below 0; all are kept`));
  if (carryOver.probability < CARRY_OVER_CHANCE) {
    const shares = carryOver.effects.map(({ before, share }) => `after ${before} ${(100 * share).toFixed(1)} %`);
    const message = `what ran before a batch shows in its energy (p = ${carryOver.probability.toPrecision(2)}): ${shares.join(', ')}`;
    found.push(find('carry-over', 'warning', message));
  }
  const undecided = ratios.filter(({ different }) => !different);
  if (undecided.length > 0) {
    const message = `no difference of energies is claimed in ${undecided.length} of ${ratios.length} pairs, where the interval contains 1 or has no bounds`;
    found.push(
      find(
        'no-difference',
        'note',
        message,
        undecided.map((each) => `${nameOf(each)}${each.reason === null ? '' : ` (${each.reason})`}`),
      ),
    );
  }
  return found;
}
