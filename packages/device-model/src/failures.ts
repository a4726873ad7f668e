/** Runs every step whatever the others do, and keeps what they threw. */
export class Failures {
  readonly errors: unknown[] = [];

  attempt(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      this.errors.push(error);
      return false;
    }
  }

  throwFirst(): void {
    if (this.errors.length > 0) throw this.errors[0];
  }
}
