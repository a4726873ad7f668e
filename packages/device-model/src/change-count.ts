/**
 * Grows with everything that may have changed what has to be saved of a guest. One for all that the guest has: it is
 * looked at before every answer.
 */
export class ChangeCount {
  value = 0;
}
