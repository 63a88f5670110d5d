/** Header fields. Source: WASI 0.2, wasi:http/types, resource fields; names and values: RFC 9110, section 5. */

import { WasiError } from '../../guest-stop.ts';
import type { HeaderList } from '../../component-call.ts';
import { activeHost } from '../host.ts';
import { Resource } from '../resource.ts';

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Fields that are about the connection, which is the host's. Source: RFC 9110, section 7.6.1. */
const FORBIDDEN: ReadonlySet<string> = new Set([
  'connection',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);
/** Bytes the names and values of one list may have together. */
const FIELDS_BYTES = 128 * 1024;

interface Field {
  readonly name: string;
  readonly value: Uint8Array;
}

export class Fields extends Resource {
  #fields: Field[] = [];
  #sizeBytes = 0;
  #isMutable = true;

  constructor() {
    super(activeHost());
  }

  static fromList(entries: readonly (readonly [string, Uint8Array])[]): Fields {
    const fields = new Fields();
    for (const [name, value] of entries) fields.append(name, value);
    return fields;
  }

  /** Fields that came from outside: any name, and nothing to be changed. */
  static received(headers: HeaderList): Fields {
    const fields = new Fields();
    fields.#fields = headers.map(([name, value]) => ({ name, value: Buffer.from(value, 'latin1') }));
    return fields.freeze();
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

  toList(): HeaderList {
    return this.#fields.map(({ name, value }) => [name, Buffer.from(value).toString('latin1')]);
  }

  #check(name: string, values: readonly Uint8Array[]): void {
    this.host.enter();
    if (!this.#isMutable) throw new WasiError({ tag: 'immutable' });
    if (!NAME.test(name) || !values.every(isValue)) throw new WasiError({ tag: 'invalid-syntax' });
    if (FORBIDDEN.has(name.toLowerCase())) throw new WasiError({ tag: 'forbidden' });
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

/** A field value has no NUL, CR or LF. */
function isValue(value: Uint8Array): boolean {
  return !value.includes(0) && !value.includes(10) && !value.includes(13);
}
