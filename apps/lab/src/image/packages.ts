import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findDebianMirror } from '../host/apt-sources.js';
import { run } from '../host/run.js';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

export interface PackageRequest {
  readonly suite: string;
  readonly packages: readonly string[];
  /** Apt's state of this download. */
  readonly workDirectory: string;
  /** Packages are kept here from build to build. */
  readonly archiveDirectory: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Debian packages with all they depend on, resolved, downloaded and verified by this host's apt, with a state of its
 * own. Resolves with the paths of the packages' files.
 */
export async function downloadPackages(request: PackageRequest): Promise<string[]> {
  const { workDirectory, archiveDirectory, signal } = request;
  for (const name of ['lists/partial', 'etc/preferences.d', 'none/partial'])
    mkdirSync(join(workDirectory, name), { recursive: true });
  mkdirSync(join(archiveDirectory, 'partial'), { recursive: true });
  const configuration = join(workDirectory, 'apt.conf');
  writeFileSync(join(workDirectory, 'status'), '');
  // Backports depend on the release that they are for.
  const suites = [request.suite.replace(/-backports$/, ''), request.suite];
  const sources = [...new Set(suites)].map(
    (suite) => `deb [signed-by=${keyring}] ${findDebianMirror()} ${suite} main\n`,
  );
  writeFileSync(join(workDirectory, 'sources.list'), sources.join(''));
  writeFileSync(configuration, aptConfiguration(workDirectory, archiveDirectory, request.suite));
  const options = { env: { ...process.env, APT_CONFIG: configuration, LC_ALL: 'C' }, signal };
  await run('apt-get', ['update', '-q'], options);
  // Apt prints only what its cache lacks, so it is asked about an empty one.
  const emptyCache = ['-o', `Dir::Cache::archives=${join(workDirectory, 'none')}`];
  const list = await run(
    'apt-get',
    ['install', '-qq', '--yes', '--print-uris', ...emptyCache, ...request.packages],
    options,
  );
  await run('apt-get', ['install', '-q', '--yes', '--download-only', ...request.packages], options);
  return packageFiles(list).map((name) => join(archiveDirectory, name));
}

/** The file names in the output of `apt-get install --print-uris` of an empty cache: `'URI' NAME SIZE HASH`. */
export function packageFiles(printedUris: string): string[] {
  return printedUris.split('\n').flatMap((line) => /^'[^']+' (\S+\.deb) /.exec(line)?.[1] ?? []);
}

function aptConfiguration(workDirectory: string, archiveDirectory: string, suite: string): string {
  const settings = {
    'Dir::Etc': join(workDirectory, 'etc'),
    'Dir::Etc::sourcelist': join(workDirectory, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::main': '/dev/null',
    'Dir::Etc::parts': '/dev/null',
    'Dir::State': workDirectory,
    'Dir::State::status': join(workDirectory, 'status'),
    'Dir::State::lists': join(workDirectory, 'lists'),
    'Dir::Cache': workDirectory,
    'Dir::Cache::archives': archiveDirectory,
    'APT::Architecture': 'amd64',
    'APT::Default-Release': suite,
    'APT::Install-Recommends': 'false',
    'APT::Sandbox::User': 'root',
    'APT::Keep-Downloaded-Packages': 'true',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '3',
  };
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";`);
  return `${lines.join('\n')}\nAPT::Architectures { "amd64"; };\n`;
}

/** What a dom0 under a lab never opens, by tar's patterns: a smaller image is written and read faster. */
const leftOut = [
  './usr/share/{doc,man,info,locale,iso-codes,xml,lintian,bug,bash-completion,zoneinfo}',
  './boot/*.efi',
  './usr/lib/modules/*/kernel/drivers/{gpu,media,infiniband,isdn,staging,iio,mtd,md,scsi,target,hwmon,input,platform}',
  './usr/lib/modules/*/kernel/drivers/net/{wireless,can,usb,wan,dsa,fddi,arcnet,hamradio,bonding,phy}',
  './usr/lib/modules/*/kernel/{net,sound/soc,sound/usb,sound/firewire}',
  './usr/lib/modules/*/kernel/fs/{btrfs,xfs,ocfs2,gfs2,nfs,nfsd,cifs,smb,ceph,f2fs,jfs,reiserfs,ubifs,udf,afs,lockd}',
];

function expand(pattern: string): string[] {
  const match = /^(.*)\{(.*)\}(.*)$/.exec(pattern);
  return match ? (match[2] ?? '').split(',').map((part) => `${match[1]}${part}${match[3]}`) : [pattern];
}

const unpackScript = `set -euo pipefail
root=$1; shift; archive=$1; shift
dpkg-deb --fsys-tarfile "$archive" | tar -x -C "$root" --keep-directory-symlink "$@"`;

/** Links that exist before the first package: each leads inside the root, wherever that is. */
const links = { bin: 'usr/bin', sbin: 'usr/sbin', lib: 'usr/lib', lib64: 'usr/lib64', 'var/run': '../run' };

/**
 * Unpacks packages into the empty folder `root`, two at a time; their maintainer scripts do not run.
 * /bin, /lib, /lib64 and /sbin become links into /usr, as in any Debian of today.
 */
export async function unpackPackages(root: string, archives: readonly string[], signal?: AbortSignal): Promise<void> {
  for (const [path, target] of Object.entries(links)) {
    const place = dirname(join(root, path));
    mkdirSync(join(place, target), { recursive: true });
    mkdirSync(place, { recursive: true });
    symlinkSync(target, join(root, path));
  }
  const excludes = leftOut.flatMap(expand).map((pattern) => `--exclude=${pattern}`);
  const queue = [...archives];
  const worker = async () => {
    for (let archive = queue.shift(); archive !== undefined; archive = queue.shift()) {
      await run('bash', ['-c', unpackScript, 'unpack', root, archive, ...excludes], { signal });
    }
  };
  await Promise.all([worker(), worker()]);
}
