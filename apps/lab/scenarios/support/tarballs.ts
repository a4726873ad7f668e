import { fileURLToPath } from 'node:url';

/** Where `scripts/pack.mjs` puts the packages. */
export const tarballs = fileURLToPath(new URL('../../../../build/tarballs', import.meta.url));
