/** What measured: source, clock, idle level, marker, gates, carry-over, as cells of text. */

import type { Table } from '../../compare/report/tables.ts';
import type { EnergyAnalysis } from '../analysis.ts';
import type { EnergyMeasured } from '../summary.ts';
import { power, seconds } from './quantities.ts';

const cameTo = (met: boolean | null): string => (met === null ? 'not known' : met ? 'passed' : 'FAILED');

/** What held of the machine before and after a run. */
export function gateTable({ gates }: EnergyAnalysis): Table {
  return {
    head: ['gate', 'came to', 'before', 'after', 'expected'],
    lines: (gates?.gates ?? []).map((gate) => [gate.name, cameTo(gate.met), gate.before, gate.after, gate.expected]),
  };
}

type Line = readonly [what: string, value: string];

/** Source, clocks, idle power and marker. */
export function instrumentTable(analysis: EnergyAnalysis): Table {
  const lines: readonly Line[] = [
    ...(analysis.state === 'measured' ? sourceLines(analysis) : []),
    ...markerLines(analysis),
    ...(analysis.state === 'measured' ? clockLines(analysis) : []),
  ];
  return { head: ['what', 'value'], lines };
}

function sourceLines({ source, idle, carryOver }: EnergyMeasured): Line[] {
  const { counts } = source;
  const { malformed, duplicates, reordered, lost, resets } = counts;
  const notSamples = `${malformed} malformed, ${duplicates} repeated, ${reordered} late, ${lost} lost, ${resets} resets`;
  const times = `${source.samples} in ${seconds(source.durationS)}, one each ${seconds(source.intervalS)}, renewed each ${seconds(source.refreshS)}`;
  const effects = carryOver.effects.map(
    ({ before, share }) => `${share < 0 ? '' : '+'}${(100 * share).toFixed(1)} % after ${before}`,
  );
  return [
    ['source', `${source.name}${source.synthetic ? ' (SYNTHETIC)' : ''}; a value is ${RULES[source.rule]}`],
    ['samples', times],
    ['steps and response', limitsText(source)],
    ['gaps', `${source.gaps}, ${seconds(source.gapS)} together; ${notSamples}`],
    ['idle power', idleText(idle)],
    [
      'carry-over',
      Number.isNaN(carryOver.probability)
        ? 'not tested: too few batches with different neighbours'
        : `p = ${carryOver.probability.toPrecision(2)} over ${carryOver.batches} batches: ${effects.join(', ')}`,
    ],
    ['SHA-256 of the log', source.sha256],
  ];
}

function limitsText({ resolution, responseS, rule }: EnergyMeasured['source']): string {
  const unit = rule === 'counter' ? 'J' : 'W';
  const steps = resolution === 0 ? 'no steps known or seen' : `steps of ${Number(resolution.toPrecision(3))} ${unit}`;
  return `${steps}; ${responseS === 0 ? 'as fast as it is read' : `a change of power is all there after ${seconds(responseS)}`}`;
}

const RULES: Readonly<Record<EnergyMeasured['source']['rule'], string>> = {
  instant: 'the power at its time',
  average: 'the mean power since the one before',
  counter: 'the energy since some start',
};

function idleText(idle: EnergyMeasured['idle']): string {
  if (idle === null) return 'no level';
  const means = idle.levels.map(({ meanW }) => meanW);
  const range = `${power(Math.min(...means))} to ${power(Math.max(...means))} over ${means.length} guards`;
  return `${range}; noise of a sample ${power(idle.noiseW)}, wander between guards ${power(idle.wanderW)}`;
}

const took = (ns: number): string => seconds(ns / 1e9);

function markerLines({ marker }: EnergyAnalysis): Line[] {
  const { cost, label, synthetic } = marker;
  return [
    ['marker', synthetic ? `${label} (SYNTHETIC: no pin moved)` : label],
    [
      'cost of a mark',
      cost === null
        ? 'no line: two readings of the clock'
        : `start and end ${took(cost.windowNs)} (p50), one write ${took(cost.p50Ns)} (p50), ${took(cost.p99Ns)} (p99); part of every window`,
    ],
  ];
}

function clockLines({ clock, tied }: EnergyMeasured): Line[] {
  if (tied !== null) return [['clock of the log', tied]];
  if (clock === null) return [['clock of the log', "the host's own: nothing to fit"]];
  const drift = `drift ${clock.driftPpm.toFixed(2)} +- ${clock.driftIntervalPpm.toFixed(2)} ppm over ${clock.edges} edges`;
  const residuals = `residuals: sd ${seconds(clock.residualSdS)}, greatest ${seconds(clock.residualMaxS)}`;
  const edges = `${clock.lostEdges} lost, ${clock.spuriousEdges} spurious, ${clock.outliers} outliers, ${clock.glitches} glitches, ${clock.bounces} bounces`;
  return [
    ['clock of the log', `${drift}; ${residuals}`],
    [`edges on ${clock.line}`, edges],
  ];
}
