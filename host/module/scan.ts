/** Finds in a module's code and elements all that changes state a restore must put back. */

import { BinaryReader } from './binary.ts';
import { walkInstructions, type Notable } from './instructions.ts';
import { readConstantExpression, SECTION, type ModuleLayout } from './layout.ts';

/** A place in a function body that the rewriting replaces or follows up. */
export interface Edit {
  readonly instruction: Notable;
  readonly start: number;
  readonly end: number;
  readonly immediate: number;
}

/** A function body that needs a rewriting. `start` is where its size is written. */
export interface EditedBody {
  readonly start: number;
  readonly contentStart: number;
  readonly end: number;
  readonly edits: readonly Edit[];
}

export interface CodeScan {
  readonly found: ReadonlySet<Notable>;
  readonly bodies: readonly EditedBody[];
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
 * Scans the code and element sections of a module that V8 has validated.
 * @throws NebulaError MODULE_INVALID, MODULE_UNSUPPORTED
 */
export function scanCode(layout: ModuleLayout): CodeScan {
  const found = new Set<Notable>();
  const bodies: EditedBody[] = [];
  const droppedData = new Set<number>();
  const droppedElements = new Set<number>();
  const grownMemories = new Set<number>();
  const grownTables = new Set<number>();
  const referenced = new Set<number>(layout.referenced);
  const code = layout.sections.find((section) => section.id === SECTION.code);
  if (code !== undefined) {
    const reader = new BinaryReader(layout.bytes, code.start, code.end);
    for (let left = reader.u32(); left > 0; left--) {
      const body = scanBody(reader, (edit) => {
        found.add(edit.instruction);
        if (edit.instruction === 'data.drop') droppedData.add(edit.immediate);
        else if (edit.instruction === 'elem.drop') droppedElements.add(edit.immediate);
        else if (edit.instruction === 'memory.grow') grownMemories.add(edit.immediate);
        else if (edit.instruction === 'table.grow') grownTables.add(edit.immediate);
        else if (edit.instruction === 'ref.func') referenced.add(edit.immediate);
      });
      if (body.edits.length > 0) bodies.push(body);
    }
  }
  for (const index of elementFunctions(layout)) referenced.add(index);
  return {
    found,
    bodies,
    droppedData: [...droppedData],
    droppedElements: [...droppedElements],
    grownMemories: [...grownMemories],
    grownTables: [...grownTables],
    referenced: [...referenced].sort((left, right) => left - right),
  };
}

function scanBody(reader: BinaryReader, note: (edit: Edit) => void): EditedBody {
  const start = reader.offset;
  const size = reader.u32();
  const contentStart = reader.offset;
  const end = contentStart + size;
  if (end > reader.end) reader.fail('a function body is cut off', start);
  const body = new BinaryReader(reader.bytes, contentStart, end);
  for (let groups = body.u32(); groups > 0; groups--) {
    body.u32();
    const type = body.u8();
    if (type === 0x63 || type === 0x64) body.s33();
  }
  const edits: Edit[] = [];
  walkInstructions(body, (instruction, from, to, immediate) => {
    const edit: Edit = { instruction, start: from, end: to, immediate };
    note(edit);
    if (EDITED.has(instruction)) edits.push(edit);
  });
  reader.offset = end;
  return { start, contentStart, end, edits };
}

/** Functions that element segments refer to. Core spec, section 5.5.12: eight forms of segments. */
function elementFunctions(layout: ModuleLayout): number[] {
  const referenced: number[] = [];
  const section = layout.sections.find(({ id }) => id === SECTION.element);
  if (section === undefined) return referenced;
  const reader = new BinaryReader(layout.bytes, section.start, section.end);
  for (let left = reader.u32(); left > 0; left--) {
    const flags = reader.u32();
    const active = (flags & 1) === 0;
    const explicit = (flags & 2) !== 0;
    if (active && explicit) reader.u32();
    if (active) readConstantExpression(reader, referenced);
    if ((flags & 3) !== 0) {
      const type = reader.u8();
      if (type === 0x63 || type === 0x64) reader.s33();
    }
    for (let items = reader.u32(); items > 0; items--) {
      if ((flags & 4) === 0) referenced.push(reader.u32());
      else readConstantExpression(reader, referenced);
    }
  }
  return referenced;
}
