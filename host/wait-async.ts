/** `Atomics.waitAsync` of ES2024, which Node has since 16 and its types do not have. */

type WaitAsync = (
  cells: Int32Array,
  index: number,
  value: number,
) => { readonly async: false; readonly value: string } | { readonly async: true; readonly value: Promise<string> };

export const { waitAsync } = Atomics as unknown as { readonly waitAsync: WaitAsync };
