/**
 * Has a module count units: at the head of each loop and at the beginning of each function those of what follows are taken
 * from a global; below zero the host is asked for more. docs/adr/0018 says why so.
 *
 * A function with loops keeps the units in a local while its own code runs, which V8 holds in a register: it reads the
 * global at its beginning and after calls, and writes it before calls and where it ends. Exceptions would leave that local
 * behind the global, so that a function that throws or catches charges the global itself.
 */

import type { Additions } from './additions.ts';
import { BinaryWriter } from './binary.ts';
import type { Edit } from './edits.ts';
import { isTypedReference, TYPE, VOID_BLOCK } from './encoding.ts';
import type { FunctionType, ModuleLayout } from './layout.ts';
import { STATE } from './state-names.ts';
import type { Notable } from './notable.ts';
import { OP } from './opcodes.ts';
import { BULK, type BodyCost, type EditedBody } from './scan.ts';
import { tightLoopOf, type TightLoop } from './tight-loop.ts';
import * as code from './unit-code.ts';
import type { UnitCounter } from './unit-counter.ts';

/** What a function may cost outside its loops without being charged for it: the call's own units stand for that. */
const SMALL_UNITS = 40;

/** Above so many places to rewrite, reads and writes of the global at each would make a body too large for V8. */
const MOST_SYNCHRONISED = 60_000;

/** The section of branch hints and the value of one. Source: the proposal of branch hinting. */
const BRANCH_HINTS = 'metadata.code.branch_hint';
const UNLIKELY = 0;

/** How a function is charged: by whoever calls it, through the global, or through a local. */
type Way = 'caller' | 'global' | 'local';

/** Writes the code of charges into bodies, one after the other. */
export class Meter {
  readonly #layout: ModuleLayout;
  readonly #counter: UnitCounter;
  readonly #additions: Additions;
  readonly #units: number;
  readonly #refill: number;
  readonly #thrown: number;
  readonly #byLength: Readonly<Partial<Record<Notable, number>>>;
  /** Of each function of the module's own. */
  readonly #ways: Way[] = [];
  /** Of the bodies so far: their checks, each a branch that is seldom taken. */
  readonly #hinted: BinaryWriter = new BinaryWriter();
  #hintedCount = 0;
  #hints = new BinaryWriter();
  #hintCount = 0;
  #function = 0;
  /** The tight loop whose body is being written. */
  #tight: TightLoop | undefined;
  #way: Way = 'caller';
  #local = 0;
  #loop = 0;

  /** Adds what the code needs. To be made before anything of the module is written. */
  constructor(layout: ModuleLayout, bodies: readonly EditedBody[], counter: UnitCounter, additions: Additions) {
    this.#layout = layout;
    this.#counter = counter;
    this.#additions = additions;
    this.#units = additions.flag(STATE.units);
    this.#refill = code.addRefill(additions, this.#units, additions.functionTable(1, STATE.refill));
    this.#thrown = code.addFixedCharge(additions, this.#units, this.#refill, code.THROW_UNITS);
    const add = (cost: code.LengthCharge): number => code.addLengthCharge(additions, this.#units, this.#refill, cost);
    const { bytes, elements, growth } = code.LENGTH_CHARGES;
    const ofBytes = add(bytes);
    const ofElements = add(elements);
    this.#byLength = {
      ...Object.fromEntries(BULK.map((name) => [name, name.startsWith('table') ? ofElements : ofBytes])),
      'memory.grow': add(growth),
    };
    for (const body of bodies) this.#ways.push(this.#wayOf(body));
  }

  /** Begins a body: its locals, and its first charge. Answers up to where the original is written then. */
  begin(writer: BinaryWriter, body: EditedBody): number {
    const cost = body.cost as BodyCost;
    const { bytes, importedFunctions } = this.#layout;
    this.#way = this.#ways[cost.index - importedFunctions] as Way;
    if (this.#way === 'caller') return body.contentStart;
    this.#function = cost.index;
    this.#hints = new BinaryWriter();
    this.#hintCount = 0;
    this.#tight = undefined;
    this.#local = cost.locals;
    this.#loop = cost.firstLoop;
    writer
      .u32(cost.localGroups + 1)
      .run(bytes, cost.localsStart, cost.codeStart)
      .raw(1, TYPE.i32);
    if (this.#way === 'local') this.#read(writer);
    if (!isChargedByCaller(cost)) this.#charge(writer, cost.units);
    if (this.#way === 'local') {
      writer.u8(OP.block).append(this.#blockType(cost.index));
    }
    return cost.codeStart;
  }

  /** What stands before an instruction. */
  before(writer: BinaryWriter, edit: Edit): void {
    const { instruction, immediate } = edit;
    if (this.#way === 'caller') return;
    if (this.#way === 'local' && (instruction === 'unreachable' || this.#mayCharge(instruction, immediate)))
      this.#write(writer);
    const byLength = this.#byLength[instruction];
    if (byLength !== undefined) writer.u8(OP.call).u32(byLength);
    else if (instruction === 'throw') writer.u8(OP.call).u32(this.#thrown);
    else if (instruction === 'loop') {
      this.#tight = this.#tightLoop(edit);
      this.#tight?.begin(writer);
    }
  }

  /** Writes an instruction that is not what it was; false where it stays. */
  replace(writer: BinaryWriter, { instruction, start, immediate }: Edit): boolean {
    if (this.#way !== 'local') return false;
    // There is a local to be written back first, which the end of the body does.
    if (instruction === 'return') writer.u8(OP.br).u32(immediate + (this.#tight?.labels ?? 0));
    else if (instruction === 'branch' && this.#tight !== undefined) this.#tight.branch(writer, start, immediate);
    else return false;
    return true;
  }

  /** What stands behind an instruction. */
  after(writer: BinaryWriter, { instruction, immediate }: Edit): void {
    if (this.#way === 'caller') return;
    if (instruction === 'loop') {
      const loop = this.#loop++;
      if (this.#tight === undefined) this.#charge(writer, this.#counter.unitsOfLoop(loop));
      else this.#hint(this.#tight.charge(writer));
    } else if (instruction === 'loop-end') {
      this.#tight?.end(writer);
      this.#tight = undefined;
    } else if (this.#way === 'local' && this.#mayCharge(instruction, immediate)) this.#read(writer);
  }

  #tightLoop({ start, end }: Edit): TightLoop | undefined {
    if (this.#way !== 'local' || !this.#counter.isTight(this.#loop)) return undefined;
    const { bytes, types } = this.#layout;
    const charging = { units: this.#units, refill: this.#refill, local: this.#local };
    const cost = this.#counter.unitsOfLoop(this.#loop);
    return tightLoopOf(types, bytes.subarray(start + 1, end), cost, { bytes, charging });
  }

  /** Ends a body. */
  finish(writer: BinaryWriter): void {
    if (this.#way === 'caller') return;
    this.#hinted.u32(this.#function).u32(this.#hintCount).append(this.#hints);
    this.#hintedCount++;
    if (this.#way !== 'local') return;
    this.#write(writer);
    writer.u8(OP.end);
  }

  /** The content of a custom section that tells compilers which branches are seldom taken, once all bodies are written. */
  branchHints(): BinaryWriter {
    return new BinaryWriter().name(BRANCH_HINTS).u32(this.#hintedCount).append(this.#hinted);
  }

  #wayOf({ cost, firstEdit, endEdit }: EditedBody): Way {
    const { loops, calls, hasExceptions, quietLoops, index } = cost as BodyCost;
    if (loops + calls === 0 && isChargedByCaller(cost as BodyCost)) return 'caller';
    if (quietLoops === 0 || hasExceptions || endEdit - firstEdit > MOST_SYNCHRONISED) return 'global';
    const { results } = this.#typeOf(index);
    if (results.some(isTypedReference)) return 'global';
    // Types are written before bodies.
    if (results.length > 1) this.#additions.typeIndex({ parameters: [], results });
    return 'local';
  }

  #typeOf(index: number): FunctionType {
    return this.#layout.types[this.#layout.functionTypes[index] as number] as FunctionType;
  }

  #blockType(index: number): BinaryWriter {
    const { results } = this.#typeOf(index);
    if (results.length > 1) return new BinaryWriter().s32(this.#additions.typeIndex({ parameters: [], results }));
    return new BinaryWriter().u8(results[0] ?? VOID_BLOCK);
  }

  /** Whether the global may be charged in an instruction: in calls, but for those whose callee charges nothing. */
  #mayCharge(instruction: Notable, immediate: number): boolean {
    if (instruction === 'call') return this.#ways[immediate - this.#layout.importedFunctions] !== 'caller';
    return instruction === 'indirect-call' || instruction === 'tail-call' || this.#byLength[instruction] !== undefined;
  }

  #charge(writer: BinaryWriter, cost: number): void {
    const charging = { units: this.#units, refill: this.#refill, local: this.#local };
    this.#hint(this.#way === 'global' ? code.charge(writer, charging, cost) : code.chargeLocal(writer, charging, cost));
  }

  /** Notes that the branch at a place of the body is seldom taken. */
  #hint(at: number): void {
    this.#hints.u32(at).u8(1).u8(UNLIKELY);
    this.#hintCount++;
  }

  #read(writer: BinaryWriter): void {
    writer.u8(OP.globalGet).u32(this.#units).u8(OP.localSet).u32(this.#local);
  }

  #write(writer: BinaryWriter): void {
    writer.u8(OP.localGet).u32(this.#local).u8(OP.globalSet).u32(this.#units);
  }
}

/**
 * Whether nothing has to be charged at a function's beginning: what is outside its loops is small and ends, and whoever goes
 * around through it passes the head of a loop.
 */
function isChargedByCaller({ units, callsOutside, hasExceptions, hasBulk }: BodyCost): boolean {
  return callsOutside === 0 && !hasExceptions && !hasBulk && units <= SMALL_UNITS;
}
