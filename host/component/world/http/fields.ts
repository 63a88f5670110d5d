/** Header fields. Source: WASI 0.2, wasi:http/types, resource fields; what is allowed: http-fields.ts. */

import { isConnectionField, isFieldValue, isHostsField, isToken, parseContentLength } from '../../../http-fields.ts';
import { WasiError } from '../guest-stop.ts';
import type { HeaderList } from '../../../http-message.ts';
import { activeHost } from '../host.ts';
import { Resource } from '../resource.ts';

const CONTENT_LENGTH = 'content-length';
/** Bytes the names and values of one list may have together. */
const FIELDS_BYTES = 128 * 1024;

interface Field {
  readonly name: string;
  readonly value: Uint8Array;
}

/** `fields`: those that a guest makes are held to the grammar of HTTP, those that were received cannot be changed. */
export class Fields extends Resource {
  #fields: Field[] = [];
  #sizeBytes = 0;
  #isMutable = true;

  constructor() {
    super(activeHost());
  }

  static fromList(entries: readonly (readonly [string, Uint8Array])[]): Fields {
    const fields = new Fields();
    try {
      for (const [name, value] of entries) fields.append(name, value);
    } catch (error) {
      // The guest gets none, so it cannot give it back.
      fields.drop();
      throw error;
    }
    return fields;
  }

  /** Fields that came from outside, without those of the connection they came over; nothing of them can be changed. */
  static received(headers: HeaderList): Fields {
    const fields = new Fields();
    for (const [name, value] of headers) {
      if (!isConnectionField(name.toLowerCase())) fields.#fields.push({ name, value: Buffer.from(value, 'latin1') });
    }
    return fields.freeze();
  }

  /** What Content-Length promises, in bytes; undefined when there is none, or none that can be sent. */
  get contentLength(): number | undefined {
    const [first, ...others] = this.#fields.filter(({ name }) => name.toLowerCase() === CONTENT_LENGTH);
    return first === undefined || others.length > 0 ? undefined : parseContentLength(toText(first.value));
  }

  /** Lets nothing be changed from now on. */
  freeze(): this {
    this.#isMutable = false;
    return this;
  }

  get(name: string): Uint8Array[] {
    this.host.enter();
    const wanted = name.toLowerCase();
    return this.#fields.filter((field) => field.name.toLowerCase() === wanted).map(({ value }) => value);
  }

  has(name: string): boolean {
    return this.get(name).length > 0;
  }

  set(name: string, values: readonly Uint8Array[]): void {
    this.#check(name, values);
    this.#remove(name);
    for (const value of values) this.#add(name, value);
  }

  delete(name: string): void {
    this.#check(name, []);
    this.#remove(name);
  }

  append(name: string, value: Uint8Array): void {
    this.#check(name, [value]);
    // A message has one length.
    if (name.toLowerCase() === CONTENT_LENGTH && this.has(name)) throw new WasiError({ tag: 'invalid-syntax' });
    this.#add(name, value);
  }

  entries(): [string, Uint8Array][] {
    this.host.enter();
    return this.#fields.map(({ name, value }) => [name, value]);
  }

  clone(): Fields {
    this.host.enter();
    const copy = new Fields();
    copy.#fields = [...this.#fields];
    copy.#sizeBytes = this.#sizeBytes;
    return copy;
  }

  /** What is sent: a copy of what was received may have more than may be sent on. */
  toList(): HeaderList {
    const list: (readonly [string, string])[] = [];
    const { contentLength } = this;
    for (const { name, value } of this.#fields) {
      const key = name.toLowerCase();
      const isUnsendable = isHostsField(key) || (key === CONTENT_LENGTH && contentLength === undefined);
      if (!isUnsendable) list.push([name, toText(value)]);
    }
    return list;
  }

  #check(name: string, values: readonly Uint8Array[]): void {
    this.host.enter();
    if (!this.#isMutable) throw new WasiError({ tag: 'immutable' });
    const key = name.toLowerCase();
    if (!isToken(name) || !values.every((value) => isSound(key, value))) {
      throw new WasiError({ tag: 'invalid-syntax' });
    }
    if (isHostsField(key)) throw new WasiError({ tag: 'forbidden' });
    if (key === CONTENT_LENGTH && values.length > 1) throw new WasiError({ tag: 'invalid-syntax' });
  }

  #add(name: string, value: Uint8Array): void {
    this.#sizeBytes += name.length + value.length;
    if (this.#sizeBytes > FIELDS_BYTES) throw new WasiError({ tag: 'forbidden' });
    this.#fields.push({ name, value: value.slice() });
  }

  #remove(name: string): void {
    const wanted = name.toLowerCase();
    this.#fields = this.#fields.filter((field) => {
      if (field.name.toLowerCase() !== wanted) return true;
      this.#sizeBytes -= field.name.length + field.value.length;
      return false;
    });
  }
}

function toText(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
}

function isSound(key: string, value: Uint8Array): boolean {
  const text = toText(value);
  return isFieldValue(text) && (key !== CONTENT_LENGTH || parseContentLength(text) !== undefined);
}
