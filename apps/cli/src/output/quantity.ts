/** `1,044,480`, rounded to a whole number; below 10 with one digit after the point. */
export function formatCount(value: number): string {
  const digits = value > 0 && value < 9.95 && !Number.isInteger(value) ? 1 : 0;
  return value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** `97.7 MiB`: three digits that count. */
export function formatBytes(bytes: number): string {
  return scaled(bytes, 1024, ['B', 'KiB', 'MiB', 'GiB', 'TiB']);
}

/** `10.0 Gbit/s`, of bytes per second. */
export function formatBandwidth(bytesPerSecond: number): string {
  return scaled(bytesPerSecond * 8, 1000, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s']);
}

/** `0.3 ms`, `210 ms`, `1.25 s`, `3 min 20 s`. */
export function formatDuration(durationMs: number): string {
  if (durationMs === 0) return '0 ms';
  if (durationMs < 0.1) return 'under 0.1 ms';
  if (durationMs < 999.5) return `${threeDigits(durationMs)} ms`;
  if (durationMs < 99_950) return `${threeDigits(durationMs / 1000)} s`;
  const seconds = Math.round(durationMs / 1000);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** `0.4 %`, `95 %`, of a share from 0 to 1. */
export function formatShare(share: number): string {
  if (share > 0 && share < 0.0005) return 'under 0.1 %';
  const percent = share * 100;
  return `${percent < 9.95 && percent !== 0 ? percent.toFixed(1) : percent.toFixed(0)} %`;
}

function scaled(value: number, step: number, units: readonly string[]): string {
  let rest = value;
  let unit = 0;
  // Rounding to three digits must not give 1000 of a unit.
  while (rest >= step * 0.9995 && unit < units.length - 1) {
    rest /= step;
    unit += 1;
  }
  return `${unit === 0 ? formatCount(rest) : threeDigits(rest)} ${units[unit] ?? ''}`;
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}
