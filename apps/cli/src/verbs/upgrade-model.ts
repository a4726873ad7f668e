import { type UpgradedModel, upgradeModel as replace } from '@xenpt/qmp-sdk/xen';
import { ExitCode } from '../exit-code.js';
import { formatDuration } from '../output/quantity.js';
import { upgradedModel } from '../output/stats-schema.js';
import type { Verb } from '../verb.js';

export const upgradeModel: Verb = {
  name: 'upgrade-model',
  summary: 'have the device model of the installed version go on for the one that serves a guest',
  arguments: [{ name: 'DOMAIN', description: 'id or name, as in xl list' }],
  examples: [['xenpt upgrade-model web', 'the guest keeps its devices and waits for a moment']],
  schema: upgradedModel,
  exitCodes: [ExitCode.failed, ExitCode.notFound, ExitCode.refused, ExitCode.timeout, ExitCode.noHypervisor],
  run: async ({ host }, [domain = '']) => {
    const upgraded = await replace(host, domain);
    return { json: { upgraded }, text: toText(upgraded) };
  },
};

function toText({ domid, domainName, from, to, pauseMs }: UpgradedModel): string {
  const name = (process: UpgradedModel['from']) =>
    process === null ? 'a former version' : `process ${process.pid}, xenpt ${process.version}`;
  return (
    `domain ${domid} (${domainName}) is served by ${name(to)}, before by ${name(from)}; ` +
    `for ${formatDuration(pauseMs)} by nobody`
  );
}
