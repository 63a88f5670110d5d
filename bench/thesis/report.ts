/** A run beside the thesis, for people: one table, and what each of its columns is. */

import type { Table } from '../compare/report/tables.ts';
import { ratio, ratioInterval } from '../compare/report/quantities.ts';
import type { Bounded } from '../energy/bounded.ts';
import { WAYS, type ComparedPair, type ThesisRow } from './comparison.ts';
import type { PublishedPair } from './published.ts';

/** What a reader must know of the table. */
export const THESIS_TEXT =
  'The thesis: M. N. Kluften, Nebula, University of Oslo, 2024; means over all inputs it averages, in ms, energy in uWh. Native / Wasm = ratio. Here: means over the same functions, and inputs over the same ranges, of the medians of calls, with 95 % intervals. Runtime is, as there, all that follows the guest\'s first instruction, a container\'s end and removal included; "own run" is between the stamps of the guest itself. Energy is gross, as there: with the power of the idle machine.';

/** The quantities, line by line. */
export function thesisTable(rows: readonly ThesisRow[]): Table {
  const ways = WAYS.map(({ docker, wasm }) => `here, ${docker} / ${wasm}`);
  return {
    head: ['', 'thesis, VM', 'thesis, Raspberry Pi 4B', ...ways],
    lines: rows.map(({ metric, vm, pi, here }) => [
      metric,
      published(vm),
      published(pi),
      ...WAYS.map(({ docker }) => compared(here.find((pair) => pair.docker === docker))),
    ]),
  };
}

const published = (pair: PublishedPair | null): string =>
  pair === null ? '-' : `${pair.docker} / ${pair.wasm} = ${pair.times}`;

const compared = (pair: ComparedPair | undefined): string =>
  pair === undefined
    ? 'not measured'
    : `${number(pair.dockerValue)} / ${number(pair.wasmValue)} = ${ratio(pair.times.value)} ${ratioInterval(pair.times)}`;

const number = ({ value }: Bounded): string => ratio(value);
