import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { createStacks } from './stacks.ts';
import { readStage, type StageConfig, type StageName } from './stages.ts';

const CDK_JSON = path.resolve(import.meta.dirname, '..', 'cdk.json');

/** A resource of a CloudFormation template. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly Metadata?: Readonly<Record<string, unknown>>;
  readonly UpdatePolicy?: unknown;
}

/** As much of a CloudFormation template as is read here. */
export interface StackTemplate {
  readonly Resources: Readonly<Record<string, TemplateResource>>;
  readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>>;
}

/** The templates of a stage, by the names of its stacks. */
export type StageTemplates = Readonly<Record<string, StackTemplate>>;

/**
 * The templates of a stage as `npm run synth` makes them, but for the code: in place of its bundle, a function has its name.
 * @param change what is to differ from the stage's configuration.
 * @throws when the configuration is invalid.
 */
export function templatesOf(
  stageName: StageName,
  change: (stage: StageConfig) => StageConfig = (stage) => stage,
): StageTemplates {
  const { context } = JSON.parse(readFileSync(CDK_JSON, 'utf8'));
  const app = new App({
    analyticsReporting: false,
    context: { ...context, stage: stageName, 'aws:cdk:enable-path-metadata': true },
  });
  createStacks(app, change(readStage(app.node)), { code: (name) => Code.fromInline(name) });
  const { stacks } = app.synth();
  return Object.fromEntries(stacks.map(({ stackName, template }) => [stackName, template as StackTemplate]));
}
