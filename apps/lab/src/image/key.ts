import { createHash } from 'node:crypto';
import { readAssets, type Asset } from '../assets.js';
import { dom0Packages, type Profile } from '../profile.js';

/** To be raised whenever the builder's own code changes what an image holds. */
export const builderVersion = 8;

/** What an image is made of. Two images of the same key are interchangeable. */
export function imageKey(profile: Profile, assets: readonly Asset[] = readAssets()): string {
  const hash = createHash('sha256');
  const part = (text: string | Uint8Array) => hash.update(`${text.length}:`).update(text);
  part(String(builderVersion));
  part(JSON.stringify(profile));
  part(JSON.stringify(dom0Packages(profile)));
  for (const asset of assets) {
    part(asset.path);
    part(asset.content);
  }
  return hash.digest('hex').slice(0, 16);
}
