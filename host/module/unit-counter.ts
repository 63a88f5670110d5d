/**
 * Counts what bodies cost, in units: an instruction is one, a call some more. Each loop is charged for its body without the
 * loops in it, each function for its body without loops. docs/adr/0018.
 */

/** Units of a call besides its instruction: a frame, and the arguments. */
const CALL_UNITS = 4;
/** The same of a function of the host, which reads and checks arguments in JavaScript. */
const HOST_CALL_UNITS = 100;

/** What of a frame's locals and results the units of any call stand for; of more, four are one unit. */
const FRAME_VALUES = 16;
const FRAME_SHIFT = 2;

const FIRST_LOOPS = 64;

/** What a body comes to. */
export interface UnitCount {
  /** What it costs outside its loops, and for its frame. */
  readonly units: number;
  readonly callsOutside: number;
  /** Loops without calls in them that come back. */
  readonly quietLoops: number;
}

/** Follows a walk over all bodies of a module. */
export class UnitCounter {
  readonly #importedFunctions: number;
  /** Of each loop of the module, in the order of their heads. */
  #loops = new Uint32Array(FIRST_LOOPS);
  readonly #tight: Set<number> = new Set();
  #loopCount = 0;
  /** Of the loops that are open: their numbers and depths. */
  readonly #open: { readonly loop: number; readonly depth: number; calls: number; hasLoops: boolean }[] = [];
  #outside = 0;
  #counted = 0;
  /** Instructions up to the last call. */
  #lastCall = 0;
  #callsOutside = 0;
  #quietLoops = 0;

  constructor(importedFunctions: number) {
    this.#importedFunctions = importedFunctions;
  }

  /** Loops found so far, which is the number of the next. */
  get loopCount(): number {
    return this.#loopCount;
  }

  /** What a round of a loop costs, in units. */
  unitsOfLoop(loop: number): number {
    return this.#loops[loop] as number;
  }

  /** Whether a loop has neither loops in it nor calls that come back. */
  isTight(loop: number): boolean {
    return this.#tight.has(loop);
  }

  /** Blocks that are open at the innermost loop, itself among them; 0 outside. */
  get loopDepth(): number {
    return this.#open.at(-1)?.depth ?? 0;
  }

  /** Begins a body. */
  begin(): void {
    this.#open.length = 0;
    this.#outside = 0;
    this.#counted = 0;
    this.#lastCall = 0;
    this.#callsOutside = 0;
    this.#quietLoops = 0;
  }

  /** Ends a body of so many instructions, whose frame has so many values: locals, which V8 clears at each call, and results. */
  finish(instructions: number, frameValues: number): UnitCount {
    this.#take(instructions);
    const frameUnits = frameValues > FRAME_VALUES ? frameValues >> FRAME_SHIFT : 0;
    return { units: this.#outside + frameUnits, callsOutside: this.#callsOutside, quietLoops: this.#quietLoops };
  }

  /** @param depth blocks that are open, the loop among them */
  openLoop(instructions: number, depth: number): void {
    this.#take(instructions);
    const loop = this.#loopCount++;
    if (loop === this.#loops.length) {
      const larger = new Uint32Array(loop * 2);
      larger.set(this.#loops);
      this.#loops = larger;
    }
    this.#open.push({ loop, depth, calls: 0, hasLoops: false });
  }

  /** Ends a block, and says whether it is a loop. @param depth blocks that are open, the closing one among them */
  closeBlock(instructions: number, depth: number): boolean {
    const open = this.#open.at(-1);
    if (open?.depth !== depth) return false;
    this.#take(instructions);
    this.#open.pop();
    const { loop, calls, hasLoops } = open;
    if (calls === 0) this.#quietLoops++;
    if (calls === 0 && !hasLoops) this.#tight.add(loop);
    const around = this.#open.at(-1);
    if (around !== undefined) {
      around.calls += calls;
      around.hasLoops = true;
    }
    return true;
  }

  /** @param callee the function's index, where it is known */
  addCall(instructions: number, callee: number | undefined): void {
    this.#lastCall = instructions;
    this.#addCalls(1);
    this.#add(callee !== undefined && callee < this.#importedFunctions ? HOST_CALL_UNITS : CALL_UNITS);
  }

  /** What does not come back from a call leaves its loop quiet: compilers end so what must not happen. */
  addUnreachable(instructions: number): void {
    if (this.#open.length > 0 && this.#lastCall > 0 && this.#lastCall === instructions - 1) this.#addCalls(-1);
  }

  #addCalls(count: number): void {
    const loop = this.#open.at(-1);
    if (loop === undefined) this.#callsOutside += count;
    else loop.calls += count;
  }

  /** Charges the instructions since the last time to what is open. */
  #take(instructions: number): void {
    this.#add(instructions - this.#counted);
    this.#counted = instructions;
  }

  #add(units: number): void {
    const loop = this.#open.at(-1)?.loop;
    if (loop === undefined) this.#outside += units;
    else this.#loops[loop] = (this.#loops[loop] as number) + units;
  }
}
