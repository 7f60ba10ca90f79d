import 'aws-cdk-lib/testhelpers/jest-autoclean';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App, type Environment } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Code } from 'aws-cdk-lib/aws-lambda';
import type { CodeOf } from '../../../lib/service/cutover-function.ts';
import { createStacks, type Stacks } from '../../../lib/stacks.ts';
import { readStage, type StageConfig, type StageName } from '../../../lib/stages.ts';

// The validator is built anew in each test file, which takes longer than all the rest: one file validates.
process.env['CDK_VALIDATION'] = 'false';

const ROOT = path.resolve(import.meta.dirname, '..', '..', '..');

/** The stacks of a stage, in the order of their use. */
export const STACK_PARTS = ['network', 'data', 'service', 'operations'] as const;
export type StackPart = (typeof STACK_PARTS)[number];

/** Code that takes no bundling: most assertions are about what is around it. */
const inlineCode: CodeOf = (name) => Code.fromInline(`exports.handler = async () => '${name}';`);

/** How an app under test differs from the deployed one. */
export interface SynthesisOptions {
  readonly change?: (stage: StageConfig) => StageConfig;
  readonly code?: CodeOf;
  readonly env?: Environment;
}

/** A stage's app with the context of `cdk.json`, as the CDK command line would run it. */
export function createApp(
  stageName: StageName,
  options: SynthesisOptions = {},
): { app: App; stacks: Stacks } {
  const { change = (stage) => stage, code = inlineCode, env } = options;
  const { context } = JSON.parse(readFileSync(path.join(ROOT, 'cdk.json'), 'utf8'));
  const app = new App({ analyticsReporting: false, context: { ...context, stage: stageName } });
  return { app, stacks: createStacks(app, change(readStage(app.node)), { code, env }) };
}

/** The templates of a stage's four stacks. */
export const templatesOf = (stacks: Stacks): Record<StackPart, Template> => ({
  network: Template.fromStack(stacks.network),
  data: Template.fromStack(stacks.data),
  service: Template.fromStack(stacks.service),
  operations: Template.fromStack(stacks.operations),
});

/** The templates of a stage. */
export const synthesize = (stageName: StageName, options?: SynthesisOptions): Record<StackPart, Template> =>
  templatesOf(createApp(stageName, options).stacks);

/** The part of a CloudFormation resource that tests look at. */
export interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly DependsOn?: readonly string[];
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** The resources of a template, of one type or all, by logical id. */
export function resourcesOf(template: Template, type?: string): [string, Resource][] {
  const resources: Record<string, Resource> = template.toJSON()['Resources'];
  return Object.entries(resources).filter(([, resource]) => type === undefined || resource.Type === type);
}

/** The only resource of its type. */
export function onlyResource(template: Template, type: string): [string, Resource] {
  const [found, ...others] = resourcesOf(template, type);
  if (found === undefined || others.length > 0) {
    throw new Error(`expected one ${type}, found ${resourcesOf(template, type).length}`);
  }
  return found;
}
