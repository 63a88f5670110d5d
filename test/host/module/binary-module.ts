/** Modules written byte by byte: larger, or stranger, than text is good for. */

/** An unsigned LEB128. */
export function leb(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

export function section(id: number, ...content: readonly (Uint8Array | readonly number[])[]): Buffer {
  const whole = Buffer.concat(content.map((part) => (part instanceof Uint8Array ? part : Buffer.from(part))));
  return Buffer.concat([Buffer.from([id, ...leb(whole.length)]), whole]);
}

export const HEADER: Buffer = Buffer.from('0061736d01000000', 'hex');

const name = (text: string): number[] => [...leb(text.length), ...Buffer.from(text)];

export interface Given {
  /** Function types; the first is () -> (). */
  readonly types?: readonly (readonly number[])[];
  /** Content of each function's body, locals included; all of the first type. The first is exported as `_start`. */
  readonly bodies: readonly (Uint8Array | readonly number[])[];
  /** Sections between the memories and the exports. */
  readonly globals?: Uint8Array;
}

/** A command with a memory of one page. */
export function moduleOf({ types = [], bodies, globals }: Given): Uint8Array<ArrayBuffer> {
  const code = bodies.flatMap((body) => [Buffer.from(leb(body.length)), Buffer.from(body)]);
  return new Uint8Array(
    Buffer.concat([
      HEADER,
      section(1, leb(types.length + 1), [0x60, 0, 0], ...types),
      section(3, leb(bodies.length), Buffer.alloc(bodies.length)),
      section(5, [1, 0, 1]),
      ...(globals === undefined ? [] : [globals]),
      section(7, [2, ...name('memory'), 2, 0, ...name('_start'), 0, 0]),
      section(10, leb(bodies.length), Buffer.concat(code)),
    ]),
  );
}

/** The body of a function without parameters: so many locals of i32, then the instructions `count` times. */
export function bodyOf(locals: number, instructions: readonly number[], count: number): Buffer {
  const head = locals === 0 ? [0] : [1, ...leb(locals), 0x7f];
  const repeated = Buffer.alloc(instructions.length * count, Buffer.from(instructions));
  return Buffer.concat([Buffer.from(head), repeated, Buffer.from([0x0b])]);
}
