/** The method of the energies in a few sentences; docs/method.md has all of it. */

/** How energies are measured, in sentences for the report; docs/method.md has all of it. */
export const ENERGY_METHOD: readonly string[] = [
  'Each turn has a batch of calls back to back, marked as one window on the line or, where calls are long enough, call by call. Sync bursts open and close the session. The line from the clock of the host to that of the log is fitted through all edges that both have, and refused when it is not good enough; an edge that only the host has is placed by it, and its window says so.',
  'Energies are integrals with interpolated boundaries (steps for means, differences for counters); a batch of ten calls or more is told by what the source shows once all of it happened in the batch. Nothing is put across a gap, and a window that lacks more than 0.1 % of its time has no energy. Above idle: less the power of the idle guards around the block, with its uncertainty. Steps of the meter count in full in windows, cells and ratios, unless noise carries the values over three of them. Negative energies stay.',
  'A window is resolvable with 10 samples, 5 refreshes, 5 responses and an uncertainty below 10 %, where its samples do not keep step with its calls. A cell is told from single calls when more than half of them are, else from its batches as the slope of energy against calls, else not at all: this is chosen for a cell, never for a window.',
  'Ratios are of mean energies per call over the blocks in which both ran: energy ratio = time ratio x power ratio, exactly for the values, not for their 95 % intervals (studentised hierarchical bootstrap). No difference is claimed when the interval contains 1.',
  'Carry-over: a permutation test of whether what ran before a batch shows in its energy. Break-even in energy: noop is the fixed part on each target, the rest grows with the native run time.',
];
