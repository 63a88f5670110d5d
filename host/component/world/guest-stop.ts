/** How host functions answer and end a component: the glue tells exceptions apart by what they carry. */

/**
 * The `err` case of a result. The glue takes an own property `payload` for the error's value.
 * Source: jco, `getErrorPayload` in the code it generates.
 */
export class WasiError {
  readonly payload: unknown;

  constructor(payload: unknown) {
    this.payload = payload;
  }
}

/** Ends the guest. It must be an Error without a payload, or the glue would hand it to the guest as an `err`. */
export class GuestStop extends Error {
  constructor() {
    super('the guest was ended');
    this.name = 'GuestStop';
  }
}

/** Made once: its making must cost nothing, and the ending says why. */
export const GUEST_STOP: GuestStop = Object.freeze(new GuestStop());
