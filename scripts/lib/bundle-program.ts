import { writeFileSync } from 'node:fs';
import { build } from 'esbuild';

/**
 * Bundles a program with nothing of our libraries but what it uses. One that lives as long as its guest has less in
 * memory, where text that Node has read stays: measured with Node 20, the process of a device model 64 MB resident, so
 * bundled 55. One that is over at once starts sooner.
 *
 * @param options.metafile where esbuild's list of what went in is written
 * @param options.external what stays a module of its own, besides the bindings, which find their addon by their place
 */
export async function bundleProgram(options: {
  readonly entry: string;
  readonly output: string;
  readonly external?: readonly string[];
  readonly metafile?: string;
}): Promise<void> {
  const { metafile } = await build({
    entryPoints: [options.entry],
    outfile: options.output,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // From the sources, so that what is not used of a package stays out.
    conditions: ['@xenpt/source'],
    external: ['@xenpt/xen-bindings', ...(options.external ?? [])],
    // Names stay, for whoever reads a stack in a log.
    minifyWhitespace: true,
    minifySyntax: true,
    logLevel: 'warning',
    // The bundled CommonJS packages call require('node:…').
    banner: {
      js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
    },
    metafile: true,
  });
  if (options.metafile !== undefined) writeFileSync(options.metafile, JSON.stringify(metafile));
}
