// TypeScript as one writes it without a library: 32-bit words, Math.clz32, one pass.
const OUTPUT_ENTRIES = 65_536;

function ones(word) {
  const pairs = word - ((word >>> 1) & 0x5555_5555);
  const fours = (pairs & 0x3333_3333) + ((pairs >>> 2) & 0x3333_3333);
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

export function plainOperations({ words, intoWords, output, check }) {
  const atomicWords =
    words.buffer instanceof ArrayBuffer ? undefined : new Int32Array(words.buffer, words.byteOffset, words.length);
  return {
    count() {
      let count = 0;
      for (let index = 0; index < words.length; index++) count += ones(words[index]);
      return count;
    },
    extract() {
      let used = 0;
      let total = 0;
      for (let index = 0; index < words.length; index++) {
        for (let word = words[index] | 0; word !== 0; word &= word - 1) {
          output[used++] = index * 32 + 31 - Math.clz32(word & -word);
          if (used === OUTPUT_ENTRIES) {
            check?.(output, used);
            total += used;
            used = 0;
          }
        }
      }
      check?.(output, used);
      return total + used;
    },
    runs() {
      let used = 0;
      let total = 0;
      let before = 0;
      for (let index = 0; index < words.length; index++) {
        const word = words[index] | 0;
        for (let edges = word ^ ((word << 1) | before); edges !== 0; edges &= edges - 1) {
          const page = index * 32 + 31 - Math.clz32(edges & -edges);
          output[used] = (used & 1) === 0 ? page : page - output[used - 1];
          if (++used === OUTPUT_ENTRIES) {
            check?.(output, used);
            total += used;
            used = 0;
          }
        }
        before = word >>> 31;
      }
      if (before !== 0) output[used] = words.length * 32 - output[used++ - 1];
      check?.(output, used);
      return (total + used) / 2;
    },
    harvest() {
      let fresh = 0;
      for (let index = 0; index < words.length; index++) {
        const word = words[index];
        if (word === 0) continue;
        const known = intoWords[index];
        words[index] = 0;
        intoWords[index] = known | word;
        fresh += ones(word & ~known);
      }
      return fresh;
    },
    harvestAtomic() {
      let fresh = 0;
      for (let index = 0; index < atomicWords.length; index++) {
        if (atomicWords[index] === 0) continue;
        const word = Atomics.exchange(atomicWords, index, 0);
        const known = intoWords[index];
        intoWords[index] = known | word;
        fresh += ones(word & ~known);
      }
      return fresh;
    },
    histogram(regionPages) {
      const regionWords = regionPages / 32;
      let used = 0;
      let total = 0;
      for (let first = 0; first < words.length; first += regionWords) {
        const last = Math.min(first + regionWords, words.length);
        let count = 0;
        for (let index = first; index < last; index++) count += ones(words[index]);
        output[used++] = count;
        if (used === OUTPUT_ENTRIES) {
          check?.(output, used);
          total += used;
          used = 0;
        }
      }
      check?.(output, used);
      return total + used;
    },
  };
}
