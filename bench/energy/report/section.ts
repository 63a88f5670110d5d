/** The energy part of a report, for HTML and Markdown alike: stamps before all else, then tables and figures. */

import type { Figure } from '../../compare/report/drawing.ts';
import { ratio, ratioInterval } from '../../compare/report/quantities.ts';
import type { Table } from '../../compare/report/tables.ts';
import type { EnergyAnalysis } from '../analysis.ts';
import { WHY_BATCHES_DIFFER } from '../single-calls.ts';
import type { EnergyMeasured } from '../summary.ts';
import { carbonTable, carbonText } from './carbon-table.ts';
import { gateTable, instrumentTable } from './instruments.ts';
import { stampsOf, type Stamp } from './stamp.ts';
import { breakEvenTable, cellTable, phaseTable, ratioTable, singleCallTable, verdictTable } from './tables.ts';

/** A table with what stands above it. */
export interface EnergyPart {
  readonly title: string;
  readonly text: string;
  readonly table: Table;
  /** Columns that are names. */
  readonly names: number;
}

/** What a report says of energy. */
export interface EnergySection {
  readonly stamps: readonly Stamp[];
  /** Why there are no energies, or null. */
  readonly missing: string | null;
  readonly parts: readonly EnergyPart[];
  readonly figures: readonly Figure[];
  readonly findings: EnergyAnalysis['findings'];
}

/** The energies of a run as a section of its report. */
export function energySection(energy: EnergyAnalysis, figures: readonly Figure[]): EnergySection {
  const measured = energy.state === 'measured' ? measuredParts(energy) : [];
  const parts = [...measured, ...carbonParts(energy), ...instrumentParts(energy)];
  return {
    stamps: stampsOf(energy),
    missing: energy.state === 'measured' ? null : `${energy.state}: ${energy.reason}`,
    parts: parts.filter(({ table }) => table.lines.length > 0),
    figures,
    findings: energy.findings,
  };
}

function measuredParts(energy: EnergyMeasured): EnergyPart[] {
  return [
    {
      title: `Energy against ${energy.reference}`,
      text: `Of a call, above the idle machine, as a multiple of ${energy.reference}: energy ratio = time ratio x power ratio.`,
      table: ratioTable(energy),
      names: 3,
    },
    {
      title: 'Energy of a call',
      text: 'Above the power of the idle machine, and with it.',
      table: cellTable(energy),
      names: 4,
    },
    {
      title: 'Single calls and batches',
      text: `The time ratio of the energies beside that of single calls: ${WHY_BATCHES_DIFFER}. Single call + teardown + rest = call in its window.`,
      table: singleCallTable(energy),
      names: 3,
    },
    {
      title: 'Energy of the phases of a call',
      text: 'Above idle, where more than half of the windows of a phase can be resolved by themselves.',
      table: phaseTable(energy),
      names: 4,
    },
    {
      title: 'Break-even in energy',
      text: "How long a function must run natively before the container's call takes no more energy than the micro-VM's.",
      table: breakEvenTable(energy),
      names: 2,
    },
    {
      title: 'What this source can tell',
      text: 'Calls that were marked one by one, and batches of those that were not; and how the times of their windows are known.',
      table: verdictTable(energy),
      names: 1,
    },
  ];
}

function carbonParts({ carbon }: EnergyAnalysis): EnergyPart[] {
  if (carbon === undefined) return [];
  return [
    { title: 'CO2e of a million calls', text: carbonText(carbon.factors), table: carbonTable(carbon.cells), names: 3 },
  ];
}

function instrumentParts(energy: EnergyAnalysis): EnergyPart[] {
  return [
    {
      title: 'Gates',
      text: 'What must hold of the machine and of the recording. A gate that failed stamps the result.',
      table: gateTable(energy),
      names: 5,
    },
    {
      title: 'Instruments',
      text: 'What power and marks came from, and what marking costs.',
      table: instrumentTable(energy),
      names: 2,
    },
  ];
}

/** For a terminal. */
export function energyHeadline(energy: EnergyAnalysis): string[] {
  const lines = stampsOf(energy).map(({ short, text }) => `${short}: ${text}`);
  if (energy.state === 'measured') {
    for (const { target, function: name, input, energy: found, time, power, against } of energy.ratios) {
      const bounds = found.low === null ? '[no bounds]' : ratioInterval(found);
      const parts = `time ${ratio(time.value)} x power ${ratio(power.value)}`;
      lines.push(`energy of ${target}, ${name} ${input}: ${ratio(found.value)} ${bounds} times ${against} (${parts})`);
    }
  }
  const stamped: readonly string[] = ['synthetic', 'gate-failed', 'refused'];
  const told = energy.findings.filter(({ severity, code }) => severity !== 'note' && !stamped.includes(code));
  return [...lines, ...told.map(({ severity, message }) => `${severity}: ${message}`)];
}
