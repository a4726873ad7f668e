// Assertions of the debug build. A number instead of a text: texts would be data of the module, and the memory is the
// caller's. The sentences are in src/bitmap-kernels.ts.

@external("env", "assertionFailed")
declare function assertionFailed(sentence: u32): void;

@inline
export function check(condition: bool, sentence: u32): void {
  if (!ASC_NO_ASSERT) {
    if (!condition) assertionFailed(sentence);
  }
}
