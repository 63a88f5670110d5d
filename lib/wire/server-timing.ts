/** The phases of a call as a Server-Timing field. Source: W3C Server Timing, section 3. */

import { NO_USAGE, type Usage } from '../../host/outcome.ts';
import { ALL_PHASES, NO_PHASES, type Phases } from '../../host/phases.ts';

/** Phases as a field, in milliseconds; those that did not happen are left out. Processor time that was counted comes last. */
export function formatServerTiming(phases: Phases, { cpuNs }: Pick<Usage, 'cpuNs'> = NO_USAGE): string {
  let field = '';
  for (const phase of ALL_PHASES) {
    const durationNs = Math.round(phases[phase] ?? 0);
    if (durationNs > 0) field += `${field === '' ? '' : ', '}${phase};dur=${durationNs / 1e6}`;
  }
  if (cpuNs !== undefined) field += `${field === '' ? '' : ', '}cpu;dur=${Math.round(cpuNs) / 1e6}`;
  return field === '' ? 'total;dur=0' : field;
}

/** Processor time in nanoseconds out of a field; undefined where it was not counted. */
export function parseCpuNs(field: string): number | undefined {
  const duration = /(?:^|,)\s*cpu\s*;\s*dur=([0-9.]+)/.exec(field)?.[1];
  return duration === undefined ? undefined : Math.round(Number(duration) * 1e6);
}

/** Phases in nanoseconds out of a field; those it does not name are 0. */
export function parseServerTiming(field: string): Phases {
  const phases: { -readonly [K in keyof Phases]: Phases[K] } = { ...NO_PHASES };
  for (const entry of field.split(',')) {
    const [name = '', ...parameters] = entry.split(';').map((part) => part.trim());
    const phase = ALL_PHASES.find((known) => known === name);
    const duration = parameters.find((parameter) => parameter.startsWith('dur='));
    if (phase !== undefined && duration !== undefined) phases[phase] = Math.round(Number(duration.slice(4)) * 1e6);
  }
  return phases;
}
