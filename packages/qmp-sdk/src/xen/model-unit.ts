import { basename } from 'node:path';
import { CACHE_DIR } from './compile-cache.js';
import { unitWord } from './persist-files.js';
import { NOTHING_TO_GO_ON_WITH, SMALL_PROCESS } from './spawn-model.js';

const TEMPLATE = 'xenpt-device-model@';

export const MODEL_UNIT_PATH = `/etc/systemd/system/${TEMPLATE}.service`;

/**
 * One that dies before it serves is not started for ever. Who kills one that serves, again and again, must not have the
 * guest stand still for good: a start takes a third of a second and more.
 */
const STARTS_PER_MINUTE = 60;

/** Signals that systemd takes for a clean end (systemd.service(5)). The guest is there still. */
const MEANT_TO_END_IT = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGPIPE'];

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
After=xen.service xenstored.service
Before=xendomains.service
RefuseManualStop=yes
StartLimitIntervalSec=60
StartLimitBurst=${STARTS_PER_MINUTE}

[Service]
Type=exec
ExecStart=${words} ${unitWord(runDir)}/domain-%i/service.json
${environment.join('')}Environment=NODE_COMPILE_CACHE=${CACHE_DIR}
CacheDirectory=${basename(CACHE_DIR)}
CacheDirectoryMode=0700
Restart=on-failure
RestartForceExitStatus=${MEANT_TO_END_IT.join(' ')}
RestartSec=100ms
RestartPreventExitStatus=${NOTHING_TO_GO_ON_WITH}
StandardOutput=null
StandardError=append:${logDir.replaceAll('%', '%%')}/domain-%i.log
NoNewPrivileges=yes
OOMScoreAdjust=-500
UMask=0077
`;
}
