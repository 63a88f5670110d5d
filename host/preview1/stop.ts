/** What is thrown through a guest to end it. */

/** Made once and no Error, for its making must cost nothing; the ending says why. */
export const STOP: { readonly stop: true } = Object.freeze({ stop: true });
