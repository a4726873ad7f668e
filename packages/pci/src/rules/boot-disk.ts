import type { FunctionRule } from './rule.js';

export const bootDisk: FunctionRule = {
  scope: 'function',
  id: 'boot-disk',
  title: 'The host itself runs from this controller',
  cause: 'A file system or the swap space of the host is on a disk of this function.',
  consequence:
    'The host loses its disk at the moment the function is taken, and does not start again if that is kept.',
  remedy: 'Move the host to another controller first. Nothing else helps; `seize=1` takes it without asking.',
  check: ({ address }, { host }) => {
    const uses = host.diskUses.filter((use) => use.address === address);
    if (uses.length === 0) return [];
    return [
      {
        effect: 'blocks',
        message: `the host uses it for ${uses.map(({ use }) => use).join(', ')}`,
        evidence: uses.map(({ device, use }) => `/dev/${device} is ${use}`),
        fix: null,
      },
    ];
  },
};
