import { Duplex } from 'node:stream';

/** Two ends of a line: what is written to one is read from the other; the end of one is the end of both. */
export function duplexPair(): [Duplex, Duplex] {
  const ends: Duplex[] = [];
  const end = (other: number) =>
    new Duplex({
      read: () => undefined,
      write(chunk, _, done) {
        ends[other]?.push(chunk);
        done();
      },
      destroy(error, done) {
        queueMicrotask(() => ends[other]?.destroy());
        done(error);
      },
    });
  ends.push(end(1), end(0));
  return ends as [Duplex, Duplex];
}
