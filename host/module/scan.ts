/** Finds in a module's code and elements all that changes state a restore must put back. */

import { isNebulaError } from '../errors.ts';
import { BinaryReader } from './binary.ts';
import { refuseAbove, refuseComplex } from './ceilings.ts';
import { validate } from './compile.ts';
import { InstructionWalker, type Arity } from './instructions.ts';
import { NOTABLE, type Notable } from './notable.ts';
import { isTypedReference, SECTION } from './encoding.ts';
import { readConstantExpression, type ModuleLayout } from './layout.ts';

/** A place in a function body that the rewriting replaces or follows up. */
export interface Edit {
  readonly instruction: Notable;
  readonly start: number;
  readonly end: number;
  readonly immediate: number;
}

/** Edits of one module, in the order of its code; of a body the ones from one number to another. */
class Edits {
  #numbers = new Uint32Array(64);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  add(instruction: Notable, start: number, end: number, immediate: number): void {
    const at = this.#count * 4;
    if (at === this.#numbers.length) {
      const larger = new Uint32Array(at * 2);
      larger.set(this.#numbers);
      this.#numbers = larger;
    }
    this.#numbers[at] = NUMBER_OF[instruction];
    this.#numbers[at + 1] = start;
    this.#numbers[at + 2] = end;
    this.#numbers[at + 3] = immediate;
    this.#count++;
  }

  at(index: number): Edit {
    const from = index * 4;
    const numbers = this.#numbers;
    return {
      instruction: NOTABLE[numbers[from] as number] as Notable,
      start: numbers[from + 1] as number,
      end: numbers[from + 2] as number,
      immediate: numbers[from + 3] as number,
    };
  }
}

const NUMBER_OF = Object.fromEntries(NOTABLE.map((instruction, number) => [instruction, number])) as Record<
  Notable,
  number
>;

/** A function body that needs a rewriting. `start` is where its size is written. */
export interface EditedBody {
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
  /** Its edits, by number. */
  readonly firstEdit: number;
  readonly endEdit: number;
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
}

const EDITED: ReadonlySet<Notable> = new Set<Notable>([
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

/**
 * Scans the code and element sections of a module. One pass, in time that grows with the bytes alone.
 * @throws NebulaError MODULE_INVALID, MODULE_UNSUPPORTED, MODULE_COMPLEX
 */
export function scanCode(layout: ModuleLayout): CodeScan {
  const found = new Set<Notable>();
  const of = {
    data: new Set<number>(),
    elements: new Set<number>(),
    memories: new Set<number>(),
    tables: new Set<number>(),
  };
  const referenced = new Set<number>(layout.referenced);
  const edits = new Edits();
  const scanner = new BodyScanner(layout, edits, (instruction, immediate) => {
    found.add(instruction);
    if (instruction === 'data.drop') of.data.add(immediate);
    else if (instruction === 'elem.drop') of.elements.add(immediate);
    else if (instruction === 'memory.grow') of.memories.add(immediate);
    else if (instruction === 'table.grow') of.tables.add(immediate);
    else if (instruction === 'ref.func') referenced.add(immediate);
  });
  const bodies: EditedBody[] = [];
  const code = layout.sections.find((section) => section.id === SECTION.code);
  if (code !== undefined) {
    const reader = new BinaryReader(layout.bytes, code.start, code.end);
    const count = reader.u32();
    for (let position = 0; position < count; position++) {
      const body = scanner.scan(reader, layout.importedFunctions + position);
      if (body.endEdit > body.firstEdit) bodies.push(body);
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
  };
}

/**
 * Scans a module, which V8 then validates: the scan bounds what that costs, and what both find wrong is told in V8's words,
 * after `name`.
 * @throws NebulaError as `scanCode`
 */
export function scanValid(layout: ModuleLayout, name?: string): CodeScan {
  let scan: CodeScan;
  try {
    scan = scanCode(layout);
  } catch (error) {
    if (isNebulaError(error) && error.key !== 'MODULE_COMPLEX') validate(layout.bytes, name);
    throw error;
  }
  validate(layout.bytes, name);
  return scan;
}

/** Scans function bodies one after the other. */
class BodyScanner {
  readonly #edits: Edits;
  readonly #walker: InstructionWalker;
  readonly #arities: readonly Arity[];
  readonly #functionTypes: readonly number[];
  #locals = 0;

  constructor(layout: ModuleLayout, edits: Edits, note: (instruction: Notable, immediate: number) => void) {
    this.#edits = edits;
    this.#functionTypes = layout.functionTypes;
    this.#arities = layout.types.map(({ parameters, results }) => ({
      parameters: parameters.length,
      results: results.length,
    }));
    const arities = { types: this.#arities, functions: layout.functionTypes, tags: layout.tags };
    this.#walker = new InstructionWalker(arities, (instruction, start, end, immediate) => {
      note(instruction, immediate);
      if (EDITED.has(instruction)) edits.add(instruction, start, end, immediate);
    });
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
    for (let groups = body.u32(); groups > 0; groups--) {
      locals += body.u32();
      const type = body.u8();
      if (isTypedReference(type)) body.s33();
    }
    refuseAbove('locals', locals, index);
    this.#locals += locals;
    refuseAbove('allLocals', this.#locals);
    const firstEdit = this.#edits.count;
    refuseComplex(this.#walker.walk(body, locals, arity.results), index);
    reader.offset = end;
    return { start, contentStart, end, firstEdit, endEdit: this.#edits.count };
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
