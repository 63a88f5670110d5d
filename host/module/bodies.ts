/** Writes function bodies anew, with the code that the rewriting adds to them. */

import { setFlag } from './additions.ts';
import { BinaryWriter } from './binary.ts';
import type { Edit } from './edits.ts';
import { bulkOf } from './memory-size.ts';
import type { Notable } from './notable.ts';
import { OP } from './opcodes.ts';
import { BULK, TABLE_CHANGES, type EditedBody } from './scan.ts';
import type { Rewriting } from './rewriting.ts';

/** Rewrites bodies of one module, one after the other. */
export class BodyRewriter {
  readonly #rewriting: Rewriting;
  /** What follows an instruction, whatever its immediate. */
  readonly #following: Map<Notable, BinaryWriter> = new Map();

  constructor(rewriting: Rewriting) {
    this.#rewriting = rewriting;
  }

  /** A body's content, without its size. */
  rewrite(body: EditedBody): BinaryWriter {
    const { layout, scan, meter } = this.#rewriting;
    const { bytes } = layout;
    const writer = new BinaryWriter();
    let copied = meter === undefined ? body.contentStart : meter.begin(writer, body);
    for (let number = body.firstEdit; number < body.endEdit; number++) {
      const edit = scan.edits.at(number);
      writer.run(bytes, copied, edit.start);
      meter?.before(writer, edit);
      if (meter?.replace(writer, edit) !== true) this.#instruction(writer, edit);
      meter?.after(writer, edit);
      copied = edit.end;
    }
    writer.run(bytes, copied, body.end);
    meter?.finish(writer);
    return writer;
  }

  #instruction(writer: BinaryWriter, edit: Edit): void {
    const { layout, growth, flags, size } = this.#rewriting;
    const { bytes } = layout;
    const { instruction, start, end } = edit;
    const { admission } = instruction === 'memory.grow' ? growth.memories : growth.tables;
    if (isGrowing(instruction) && admission !== undefined) {
      writer.u8(OP.call).u32(admission.before);
      if (instruction === 'memory.grow' && size !== undefined) writer.u8(OP.call).u32(size.grow);
      else writer.run(bytes, start, end);
      writer.u8(OP.call).u32(admission.after);
      if (instruction === 'table.grow') writer.append(setFlag(flags.tablesChanged));
    } else if (instruction === 'memory.grow') {
      writer.u8(OP.call).u32(growth.grow.get(edit.immediate) as number);
    } else if (instruction === 'tail-call') {
      // V8 14.6 leaves the check for interrupts out of a function that makes no other calls: such a guest would never stop.
      writer.u8(OP.call).u32(flags.check).run(bytes, start, end);
    } else if (instruction === 'memory.size' && size !== undefined) {
      writer.append(size.read);
    } else {
      const bulk = size === undefined ? undefined : bulkOf(size, instruction, edit.immediate);
      if (bulk === undefined) writer.run(bytes, start, end);
      else writer.u8(OP.call).u32(bulk);
      writer.append(this.#afterwards(edit));
    }
  }

  #afterwards({ instruction, immediate }: Edit): BinaryWriter {
    const { flags } = this.#rewriting;
    if (instruction === 'data.drop' || instruction === 'elem.drop') {
      const kind = instruction === 'data.drop' ? 'data' : 'element';
      const own = flags.segments.get(`${kind}${immediate}`) as number;
      return setFlag(flags.dropped).append(setFlag(own));
    }
    let following = this.#following.get(instruction);
    if (following === undefined) {
      following = TABLE_CHANGES.includes(instruction) ? setFlag(flags.tablesChanged) : new BinaryWriter();
      if (BULK.includes(instruction)) following.u8(OP.call).u32(flags.check);
      this.#following.set(instruction, following);
    }
    return following;
  }
}

const isGrowing = (instruction: Notable): boolean => instruction === 'memory.grow' || instruction === 'table.grow';
