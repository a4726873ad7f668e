import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import list from '../../host-packages.json' with { type: 'json' };

/** A Debian package this host needs, and what shows that it is there: a command on the path, or a file. */
export interface HostPackage {
  readonly package: string;
  readonly command?: string;
  readonly file?: string;
  readonly why: string;
}

/** The Debian packages a lab needs on its host. The repository's start script reads the same list, as plain JSON. */
export const hostPackages: readonly HostPackage[] = list;

/** Those of them that are not installed here. */
export function missingHostPackages(path: string = process.env['PATH'] ?? ''): HostPackage[] {
  return hostPackages.filter(({ command, file }) => {
    if (file !== undefined) return !existsSync(file);
    return command === undefined || !isOnPath(command, path);
  });
}

function isOnPath(command: string, path: string): boolean {
  // A user's path may lack the folders of the administrator's programs.
  return [...path.split(delimiter), '/usr/sbin', '/sbin'].some((folder) => {
    try {
      accessSync(join(folder, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
