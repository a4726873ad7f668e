/** More of them in one request are saved with all the rest. */
const mostWords = 64;

/**
 * What may have to be saved of a guest since it was saved last. One for all that the guest has: it is looked at before
 * every answer.
 *
 * Most writes of a guest change one word of its registers and nothing else; these are told word by word.
 */
export class Changes {
  /** Grows with everything that only the whole state tells. */
  value = 0;
  wordCount = 0;
  /** As `wordPlace` of state.ts has them. */
  readonly places = new Int32Array(mostWords);
  /** 32 bits of either sign. */
  readonly values = new Int32Array(mostWords);

  noteWord(place: number, value: number): void {
    if (this.wordCount === mostWords) {
      this.value += 1;
      return;
    }
    this.places[this.wordCount] = place;
    this.values[this.wordCount] = value;
    this.wordCount += 1;
  }

  forgetWords(): void {
    this.wordCount = 0;
  }
}
