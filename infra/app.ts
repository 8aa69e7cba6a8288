/**
 * What the CDK runs: bundles the functions and makes the template of one stack from the settings.
 */
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import type { FunctionName } from '../lambdas/core/limits.ts';
import { bundleHandler } from './bundling.ts';
import { functionNames } from './functions.ts';
import { checkRules } from './rules.ts';
import { readSettings, SettingsError } from './settings.ts';
import { bulkInviteStack } from './stack.ts';

try {
  const app = new App();
  const settings = readSettings(app.node.getAllContext());
  const bundleFolder = (name: FunctionName) => join(app.outdir, 'bundles', name);
  await Promise.all(functionNames.map((name) => bundleHandler(name, bundleFolder(name))));
  bulkInviteStack(app, settings, bundleFolder);
  checkRules(app);
  app.synth();
} catch (error) {
  if (!(error instanceof SettingsError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
