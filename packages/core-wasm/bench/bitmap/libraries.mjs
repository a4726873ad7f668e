// What people would take from npm, each as its documentation has it, over views of the same memory: no copy.
// Every operation gets a fresh copy of the library, so that its inner call sees one callback and is compiled for it.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const OUTPUT_ENTRIES = 65_536;

function fresh(name) {
  for (const path of Object.keys(require.cache))
    if (path.includes(`/node_modules/${name}/`)) delete require.cache[path];
  return require(name);
}

/** `setOf(library, words)` makes a set over words without copying. */
function setOperations({ name, setOf, weights }, { words, intoWords, output, check }) {
  const operation = (run) => {
    const library = fresh(name);
    const set = setOf(library, words);
    const into = setOf(library, intoWords);
    return (...options) => run(set, into, library, ...options);
  };
  return {
    count: operation((set) => set.size()),
    extract: operation((set) => {
      let used = 0;
      let total = 0;
      set.forEach((page) => {
        output[used++] = page;
        if (used === OUTPUT_ENTRIES) {
          check?.(output, used);
          total += used;
          used = 0;
        }
      });
      check?.(output, used);
      return total + used;
    }),
    runs: operation((set) => {
      let used = 0;
      let total = 0;
      let start = 0;
      let end = -1;
      const close = () => {
        output[used++] = start;
        output[used++] = end - start;
        if (used === OUTPUT_ENTRIES) {
          check?.(output, used);
          total += used;
          used = 0;
        }
      };
      set.forEach((page) => {
        const frame = page >>> 0;
        if (frame === end) end++;
        else {
          if (end >= 0) close();
          start = frame;
          end = frame + 1;
        }
      });
      if (end >= 0) close();
      check?.(output, used);
      return (total + used) / 2;
    }),
    harvest: operation((set, into) => {
      const fresh = set.difference_size(into);
      into.union(set);
      set.words.fill(0);
      return fresh;
    }),
    // Neither library counts a part of a set; their own counting of words does.
    histogram: operation((set, into, library, regionPages) => {
      const { one, four } = weights(library, set);
      const regionWords = regionPages / 32;
      let used = 0;
      let total = 0;
      for (let first = 0; first < words.length; first += regionWords) {
        const last = Math.min(first + regionWords, words.length);
        let count = 0;
        let index = first;
        for (; index + 3 < last; index += 4) {
          count += four(words[index] | 0, words[index + 1] | 0, words[index + 2] | 0, words[index + 3] | 0);
        }
        for (; index < last; index++) count += one(words[index] | 0);
        output[used++] = count;
        if (used === OUTPUT_ENTRIES) {
          check?.(output, used);
          total += used;
          used = 0;
        }
      }
      check?.(output, used);
      return total + used;
    }),
  };
}

export function typedFastBitSetOperations(place) {
  const setOf = (library, words) => library.TypedFastBitSet.fromWords(words);
  const { hammingWeight, hammingWeight4 } = require('typedfastbitset/lib/utils.js');
  const weights = () => ({ one: hammingWeight, four: hammingWeight4 });
  return setOperations({ name: 'typedfastbitset', setOf, weights }, place);
}

export function fastBitSetOperations(place) {
  const setOf = (library, words) => library.fromWords(words);
  const weights = (library, set) => ({
    one: (word) => set.hammingWeight(word),
    four: (a, b, c, d) => set.hammingWeight4(a, b, c, d),
  });
  return setOperations({ name: 'fastbitset', setOf, weights }, place);
}

/**
 * Roaring never reads a bitmap, so it is given positions and builds its own: each operation includes that.
 * undefined where the package cannot be loaded.
 */
export async function roaringOperations({ positions, output, check }) {
  try {
    const roaring = require('roaring-wasm');
    await roaring.roaringLibraryInitialize();
    const built = (run) => () => {
      const set = new roaring.RoaringBitmap32(positions());
      const result = run(set);
      set.dispose();
      return result;
    };
    return {
      count: built((set) => set.size),
      extract: built((set) => {
        let total = 0;
        for (let first = 0; first < set.size; first += OUTPUT_ENTRIES) {
          const pages = set.sliceUint32Array(first, first + OUTPUT_ENTRIES);
          output.set(pages);
          check?.(output, pages.length);
          total += pages.length;
        }
        return total;
      }),
    };
  } catch {
    return undefined;
  }
}
