/**
 * How the functions are bundled for Lambda: one file each, with all that it needs inside, the AWS SDK included. The stack,
 * the tests and the benchmark share it, so what is tested and measured is what is shipped.
 */
import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import type { FunctionName } from '../lambdas/core/limits.ts';

/** For the functions' environment: a stack trace then names our files and lines. It costs about 20 ms of a cold start. */
export const nodeOptions = '--enable-source-maps';

const root = join(import.meta.dirname, '..');

/**
 * A CommonJS package calls `require` for what is built into Node, and an ES module has none of its own. With `mainFields`
 * below, no package does so today; one that did only now and then would slip through the tests.
 */
const requireBanner = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";

const bundleOptions = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minify: true,
  // The modules of a package instead of its CommonJS files: what nobody imports is left out, a sixth of a bundle.
  mainFields: ['module', 'main'],
  legalComments: 'none',
  banner: { js: requireBanner },
  // Positions and names only: with the text of the sources the map would be almost three times as large.
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
} as const satisfies BuildOptions;

/** Writes `index.mjs`, whose handler is `index.handler`, and its source map into the folder. */
export async function bundleHandler(name: FunctionName, folder: string): Promise<void> {
  await build({
    ...bundleOptions,
    absWorkingDir: root,
    entryPoints: [`lambdas/${name}/handler.ts`],
    outfile: join(folder, 'index.mjs'),
  });
}
