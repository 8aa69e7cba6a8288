/**
 * The rules that every synth is checked against; a breach fails it.
 */
import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';

export function checkRules(app: App): void {
  Validations.of(app).addPlugins(...rulePacks());
}

export function rulePacks() {
  return [new AwsSolutionsChecks(undefined, { verbose: true }), new ServerlessChecks(undefined, { verbose: true })];
}
