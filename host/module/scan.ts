/** Finds in a module's code and elements all that changes state a restore must put back. */

import { isNebulaError } from '../errors.ts';
import { BinaryReader } from './binary.ts';
import { refuseAbove, refuseComplex } from './ceilings.ts';
import { Edits } from './edits.ts';
import { validate } from './compile.ts';
import type { Arity } from './arity.ts';
import { InstructionWalker } from './instructions.ts';
import type { Notable } from './notable.ts';
import { UnitCounter, type UnitCount } from './unit-counter.ts';
import { isTypedReference, SECTION } from './encoding.ts';
import { readConstantExpression } from './constant-expression.ts';
import type { ModuleLayout } from './layout.ts';

/** A function body that needs a rewriting. `start` is where its size is written. */
export interface EditedBody {
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
  /** Its edits, by number. */
  readonly firstEdit: number;
  readonly endEdit: number;
  /** What it costs, of a module with a budget. */
  readonly cost?: BodyCost;
}

/** What a rewriting with a budget has to know of a body. */
export interface BodyCost extends UnitCount {
  readonly index: number;
  /** Number of its first loop. */
  readonly firstLoop: number;
  readonly loops: number;
  readonly calls: number;
  /** Parameters too. */
  readonly locals: number;
  readonly hasExceptions: boolean;
  /** Whether instructions in it are charged by a length. */
  readonly hasBulk: boolean;
  /** Groups of locals, where the first begins, and where the code does. */
  readonly localGroups: number;
  readonly localsStart: number;
  readonly codeStart: number;
}

export interface CodeScan {
  readonly found: ReadonlySet<Notable>;
  readonly bodies: readonly EditedBody[];
  readonly edits: Edits;
  /** Segments that code drops. */
  readonly droppedData: readonly number[];
  readonly droppedElements: readonly number[];
  /** Memories and tables that code grows, by index. */
  readonly grownMemories: readonly number[];
  readonly grownTables: readonly number[];
  /** Functions that a reference can point to. */
  readonly referenced: readonly number[];
  /** What loops cost; of a module with a budget. */
  readonly units: UnitCounter | undefined;
}

const EDITED: ReadonlySet<Notable> = new Set<Notable>([
  'memory.size',
  'memory.grow',
  'memory.init',
  'memory.copy',
  'memory.fill',
  'data.drop',
  'elem.drop',
  'table.set',
  'table.init',
  'table.copy',
  'table.grow',
  'table.fill',
  'tail-call',
  'loop',
  'call',
  'indirect-call',
  'return',
  'throw',
  'unreachable',
  'branch',
  'loop-end',
]);

/** The instructions that change a table's elements or size. */
export const TABLE_CHANGES: readonly Notable[] = ['table.set', 'table.init', 'table.copy', 'table.grow', 'table.fill'];

/** The instructions whose single execution may take milliseconds. */
export const BULK: readonly Notable[] = [
  'memory.init',
  'memory.copy',
  'memory.fill',
  'table.init',
  'table.copy',
  'table.grow',
  'table.fill',
];

/** The instructions that are charged by a length that they take, where there is a budget. */
const CHARGED_BY_LENGTH: ReadonlySet<Notable> = new Set<Notable>([...BULK, 'memory.grow']);

/** What a scan looks for besides. */
export interface ScanOptions {
  /** Whether the module is to be rewritten so that it counts units. */
  readonly hasBudget?: boolean;
}

/**
 * Scans the code and element sections of a module. One pass, in time that grows with the bytes alone.
 * @throws NebulaError MODULE_INVALID, MODULE_UNSUPPORTED, MODULE_COMPLEX
 */
export function scanCode(layout: ModuleLayout, { hasBudget = false }: ScanOptions = {}): CodeScan {
  const found = new Set<Notable>();
  const of = {
    data: new Set<number>(),
    elements: new Set<number>(),
    memories: new Set<number>(),
    tables: new Set<number>(),
  };
  const referenced = new Set<number>(layout.referenced);
  const edits = new Edits();
  const units = hasBudget ? new UnitCounter(layout.importedFunctions) : undefined;
  const note = (instruction: Notable, immediate: number): void => {
    found.add(instruction === 'throw' ? 'exceptions' : instruction);
    if (instruction === 'data.drop') of.data.add(immediate);
    else if (instruction === 'elem.drop') of.elements.add(immediate);
    else if (instruction === 'memory.grow') of.memories.add(immediate);
    else if (instruction === 'table.grow') of.tables.add(immediate);
    else if (instruction === 'ref.func') referenced.add(immediate);
  };
  const scanner = new BodyScanner(layout, { edits, units, note });
  const bodies: EditedBody[] = [];
  const code = layout.sections.find((section) => section.id === SECTION.code);
  if (code !== undefined) {
    const reader = new BinaryReader(layout.bytes, code.start, code.end);
    const count = reader.u32();
    for (let position = 0; position < count; position++) {
      const body = scanner.scan(reader, layout.importedFunctions + position);
      if (hasBudget || body.endEdit > body.firstEdit) bodies.push(body);
    }
  }
  addElementFunctions(layout, referenced);
  return {
    found,
    bodies,
    edits,
    droppedData: [...of.data],
    droppedElements: [...of.elements],
    grownMemories: [...of.memories],
    grownTables: [...of.tables],
    referenced: [...referenced].sort((left, right) => left - right),
    units,
  };
}

/**
 * Scans a module, which V8 then validates: the scan bounds what that costs, and what both find wrong is told in V8's words,
 * after `name`.
 * @throws NebulaError as `scanCode`
 */
export function scanValid(layout: ModuleLayout, options: ScanOptions & { readonly name?: string } = {}): CodeScan {
  const { name } = options;
  let scan: CodeScan;
  try {
    scan = scanCode(layout, options);
  } catch (error) {
    if (isNebulaError(error) && error.key !== 'MODULE_COMPLEX') validate(layout.bytes, name);
    throw error;
  }
  validate(layout.bytes, name);
  return scan;
}

interface Gathered {
  readonly edits: Edits;
  readonly units: UnitCounter | undefined;
  readonly note: (instruction: Notable, immediate: number) => void;
}

/** Scans function bodies one after the other. */
class BodyScanner {
  readonly #edits: Edits;
  readonly #units: UnitCounter | undefined;
  readonly #walker: InstructionWalker;
  readonly #arities: readonly Arity[];
  readonly #functionTypes: readonly number[];
  #locals = 0;
  #hasExceptions = false;
  #hasBulk = false;

  constructor(layout: ModuleLayout, { edits, units, note }: Gathered) {
    this.#edits = edits;
    this.#units = units;
    this.#functionTypes = layout.functionTypes;
    this.#arities = layout.types.map(({ parameters, results }) => ({
      parameters: parameters.length,
      results: results.length,
    }));
    const arities = { types: this.#arities, functions: layout.functionTypes, tags: layout.tags };
    const visit = (instruction: Notable, start: number, end: number, immediate: number): void => {
      note(instruction, immediate);
      if (EDITED.has(instruction)) edits.add(instruction, start, end, immediate);
      if (units === undefined) return;
      if (instruction === 'exceptions' || instruction === 'throw') this.#hasExceptions = true;
      else if (CHARGED_BY_LENGTH.has(instruction)) this.#hasBulk = true;
    };
    this.#walker = new InstructionWalker(arities, visit, units);
  }

  /** @throws NebulaError MODULE_INVALID, MODULE_UNSUPPORTED, MODULE_COMPLEX */
  scan(reader: BinaryReader, index: number): EditedBody {
    const start = reader.offset;
    const size = reader.u32();
    refuseAbove('bodyBytes', size, index);
    const contentStart = reader.offset;
    const end = contentStart + size;
    if (end > reader.end) reader.fail('a function body is cut off', start);
    const body = new BinaryReader(reader.bytes, contentStart, end);
    const arity = this.#arities[this.#functionTypes[index] ?? -1] ?? { parameters: 0, results: 0 };
    let locals = arity.parameters;
    const localGroups = body.u32();
    const localsStart = body.offset;
    for (let groups = localGroups; groups > 0; groups--) {
      locals += body.u32();
      const type = body.u8();
      if (isTypedReference(type)) body.s33();
    }
    const codeStart = body.offset;
    refuseAbove('locals', locals, index);
    this.#locals += locals;
    refuseAbove('allLocals', this.#locals);
    const firstEdit = this.#edits.count;
    this.#hasExceptions = false;
    this.#hasBulk = false;
    const firstLoop = this.#units?.loopCount ?? 0;
    const complexity = this.#walker.walk(body, locals, arity.results);
    refuseComplex(complexity, index);
    reader.offset = end;
    const scanned = { start, contentStart, end, firstEdit, endEdit: this.#edits.count };
    if (this.#units === undefined) return scanned;
    const { loops, calls } = complexity;
    const counted = this.#units.finish(this.#walker.instructions, locals + arity.results);
    const has = { hasExceptions: this.#hasExceptions, hasBulk: this.#hasBulk };
    return {
      ...scanned,
      cost: { index, ...counted, firstLoop, loops, calls, locals, ...has, localGroups, localsStart, codeStart },
    };
  }
}

/** Functions that element segments refer to. Core spec, section 5.5.12: eight forms of segments. */
function addElementFunctions(layout: ModuleLayout, referenced: Set<number>): void {
  const section = layout.sections.find(({ id }) => id === SECTION.element);
  if (section === undefined) return;
  let total = 0;
  const reader = new BinaryReader(layout.bytes, section.start, section.end);
  for (let left = reader.u32(); left > 0; left--) {
    const flags = reader.u32();
    const active = (flags & 1) === 0;
    const explicit = (flags & 2) !== 0;
    if (active && explicit) reader.u32();
    if (active) readConstantExpression(reader, (index) => referenced.add(index));
    if ((flags & 3) !== 0) {
      const type = reader.u8();
      if (isTypedReference(type)) reader.s33();
    }
    const count = reader.u32();
    total += count;
    refuseAbove('elements', total);
    for (let items = count; items > 0; items--) {
      if ((flags & 4) === 0) referenced.add(reader.u32());
      else readConstantExpression(reader, (index) => referenced.add(index));
    }
  }
}
