import { basename } from 'node:path';
import { CACHE_DIR } from './compile-cache.js';
import { unitWord } from './persist-files.js';
import { NOTHING_TO_GO_ON_WITH, SMALL_PROCESS } from './spawn-model.js';

const TEMPLATE = 'xenpt-device-model@';

export const MODEL_UNIT_PATH = `/etc/systemd/system/${TEMPLATE}.service`;

export const modelUnit = (domid: number): string => `${TEMPLATE}${domid}.service`;

export interface ModelProgram {
  /** The Node that runs it. */
  readonly nodePath: string;
  readonly mainPath: string;
  readonly runDir: string;
  readonly logDir: string;
}

/**
 * The unit of a guest's device model, by the id of its domain. It is started by an attach, not at boot, and restarts a
 * process that was killed, which goes on. To stop it would stop the guest's processors, so that is refused; when the
 * host goes down, guests end first.
 */
export function modelUnitText({ nodePath, mainPath, runDir, logDir }: ModelProgram): string {
  const words = [nodePath, mainPath].map(unitWord).join(' ');
  const environment = Object.entries(SMALL_PROCESS.environment).map(
    ([name, value]) => `Environment=${name}=${value}\n`,
  );
  return `# Written by xenpt: \`xenpt setup\` changes it, \`xenpt setup --remove\` removes it.
[Unit]
Description=PCI device model of Xen domain %i
Documentation=man:xenpt(1)
Before=xendomains.service
RefuseManualStop=yes
StartLimitIntervalSec=60
StartLimitBurst=8

[Service]
Type=exec
ExecStart=${words} ${unitWord(runDir)}/domain-%i/service.json
${environment.join('')}Environment=NODE_COMPILE_CACHE=${CACHE_DIR}
CacheDirectory=${basename(CACHE_DIR)}
CacheDirectoryMode=0700
Restart=on-failure
RestartSec=100ms
RestartPreventExitStatus=${NOTHING_TO_GO_ON_WITH}
StandardOutput=null
StandardError=append:${logDir.replaceAll('%', '%%')}/domain-%i.log
NoNewPrivileges=yes
OOMScoreAdjust=-500
UMask=0077
`;
}
