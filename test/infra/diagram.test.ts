import { describe, expect, it } from '@jest/globals';
import {
  ENDPOINT_VARIABLES,
  FUNCTION_ENVIRONMENT,
  type FunctionName,
} from '../../lambda/contract/environment.ts';
import { type StageTemplates, type TemplateResource, templatesOf } from '../../lib/templates.ts';
import { graphOf } from '../../scripts/diagram/graph.ts';
import { mermaidOf } from '../../scripts/diagram/mermaid.ts';
import type { Graph, GraphEdge } from '../../scripts/diagram/model.ts';
import { madePages, withBlock } from '../../scripts/diagram/pages.ts';
import { resourcesOf } from '../../scripts/diagram/resources.ts';
import { rulesOf, rulesTable } from '../../scripts/diagram/rules.ts';

process.env['CDK_VALIDATION'] = 'false';

const LEGACY = 'sg-0123456789abcdef0';
const TEMPLATES = templatesOf('production', (stage) => ({ ...stage, legacySecurityGroupIds: [LEGACY] }));
// It is of a stage without a rollout, which has none of its functions.
const NAMES = (Object.keys(FUNCTION_ENVIRONMENT) as FunctionName[]).filter(
  (name) => !name.startsWith('rollout-'),
);
/** The server of each endpoint, by a part of its variable's name. */
const SERVERS = { REDIS: 'AWS::ElastiCache::ReplicationGroup', DATABASE: 'AWS::RDS::DBCluster' } as const;

type Change = (resource: TemplateResource, id: string) => TemplateResource | undefined;

/** The templates with every resource of a type changed, or left out. */
function changed(type: string, change: Change): StageTemplates {
  const copy = structuredClone(TEMPLATES);
  return Object.fromEntries(
    Object.entries(copy).map(([stack, template]) => {
      const resources = Object.entries(template.Resources).flatMap(([id, resource]) => {
        const after = resource.Type === type ? change(resource, id) : resource;
        return after ? [[id, after] as const] : [];
      });
      return [stack, { ...template, Resources: Object.fromEntries(resources) }];
    }),
  );
}

const graph = (templates: StageTemplates = TEMPLATES): Graph => graphOf(resourcesOf(templates));
const idOf = (type: string): string => resourcesOf(TEMPLATES).ofType(type)[0]?.id ?? `no ${type}`;
const between = ({ edges }: Graph, from: string, to: string): GraphEdge[] =>
  edges.filter((edge) => edge.from === from && edge.to === to);
const withProperties = (resource: TemplateResource, more: object): TemplateResource => ({
  ...resource,
  Properties: { ...resource.Properties, ...more },
});
const CACHE = idOf(SERVERS.REDIS);
/** The logical id of a function, whose code is its name here. */
const functionId = (name: FunctionName): string | undefined =>
  resourcesOf(TEMPLATES)
    .ofType('AWS::Lambda::Function')
    .find(({ properties }) => (properties['Code'] as { ZipFile?: string }).ZipFile === name)?.id;

describe('the pages that are made from the app', () => {
  it.each(madePages())('$file is up to date; if not: npm run diagram', ({ is, wanted }) => {
    expect(is).toBe(wanted);
  });

  it('are the same every time', () => {
    expect(madePages()).toEqual(madePages());
  });

  it('keep what is around the block', () => {
    const page = 'before\n<!-- x: made by `npm run diagram` -->\nold\n<!-- /x -->\nafter\n';
    expect(withBlock(page, { name: 'x', content: 'new', file: 'x.md' })).toBe(page.replace('old', 'new'));
  });

  it.each(['no block', '<!-- x: made by `npm run diagram` --> without an end'])(
    'are refused with %s',
    (page) => {
      expect(() => withBlock(page, { name: 'x', content: 'new', file: 'x.md' })).toThrow(
        'diagram: x.md needs one block that begins with <!-- x: made by `npm run diagram` -->',
      );
    },
  );
});

describe('the diagram', () => {
  it.each(NAMES)('has %s where its contract puts it, with a connection to each of its servers', (name) => {
    const { nodes, edges } = graph();
    const variables: readonly string[] = FUNCTION_ENVIRONMENT[name];
    const endpoints = Object.keys(ENDPOINT_VARIABLES).filter((variable) => variables.includes(variable));
    const servers = Object.entries(SERVERS)
      .filter(([part]) => endpoints.some((variable) => variable.includes(part)))
      .map(([, type]) => idOf(type));
    expect(nodes.find(({ id }) => id === name)?.place).toBe(endpoints.length > 0 ? 'vpc' : 'outside');
    const connected = edges
      .filter(({ from, kind }) => from === name && kind === 'connection')
      .map(({ to }) => to);
    expect(connected.sort()).toEqual(servers.sort());
  });

  it('leads from the clients over the API and the alias to the API’s function', () => {
    const [api, alias] = [idOf('AWS::ApiGatewayV2::Api'), idOf('AWS::Lambda::Alias')];
    const steps = [
      ['clients', api],
      [api, alias],
      [alias, 'api'],
    ] as const;
    for (const [from, to] of steps) expect(between(graph(), from, to)).toHaveLength(1);
    expect(between(graph(), 'CodeDeploy', alias)).toHaveLength(1);
  });

  it('says on which port, and as whom', () => {
    expect(between(graph(), 'api', CACHE).map(({ label }) => label)).toEqual(['6379 as serverless']);
    expect(between(graph(), LEGACY, CACHE).map(({ label }) => label)).toEqual(['6379']);
  });

  it.each(['AWS::EC2::SecurityGroupIngress', 'AWS::EC2::SecurityGroupEgress'])(
    'has no connection without the rules of %s',
    (type) => {
      const without = changed(type, () => undefined);
      expect(between(graph(without), 'api', CACHE)).toEqual([]);
    },
  );

  it('has no connection where the sides name different ports', () => {
    const moved = changed('AWS::EC2::SecurityGroupIngress', (rule) =>
      withProperties(rule, { FromPort: 6380, ToPort: 6380 }),
    );
    expect(between(graph(moved), 'api', CACHE)).toEqual([]);
  });

  it('has a function that is taken out of the VPC outside of it, and not connected', () => {
    const out = changed('AWS::Lambda::Function', (fn) => withProperties(fn, { VpcConfig: undefined }));
    expect(graph(out).nodes.find(({ id }) => id === 'api')?.place).toBe('outside');
    expect(between(graph(out), 'api', CACHE)).toEqual([]);
  });

  it('has an API that goes past the alias', () => {
    const past = changed('AWS::ApiGatewayV2::Integration', (integration) =>
      withProperties(integration, {
        IntegrationUri: {
          Ref: functionId('api'),
        },
      }),
    );
    expect(between(graph(past), idOf('AWS::ApiGatewayV2::Api'), idOf('AWS::Lambda::Alias'))).toEqual([]);
    expect(between(graph(past), idOf('AWS::ApiGatewayV2::Api'), 'api')).toHaveLength(1);
  });

  it('has the hooks that the alias names', () => {
    const hooked = changed('AWS::Lambda::Alias', (alias) => ({
      ...alias,
      UpdatePolicy: {
        CodeDeployLambdaAliasUpdate: { AfterAllowTrafficHook: { Ref: functionId('migrate') } },
      },
    }));
    expect(between(graph(), 'CodeDeploy', 'migrate')).toEqual([]);
    expect(between(graph(hooked), 'CodeDeploy', 'migrate').map(({ label }) => label)).toEqual(['after']);
  });

  it('has a schedule that is off as such', () => {
    const off = changed('AWS::Scheduler::Schedule', (each) => withProperties(each, { State: 'DISABLED' }));
    expect(between(graph(off), 'Scheduler', 'dispatcher').map(({ label }) => label)).toEqual([
      'rate(1 minute) (off)',
    ]);
  });

  it('has the dead letters of the functions whose failures go there', () => {
    const queue = idOf('AWS::SQS::Queue');
    expect(between(graph(), 'flush', queue)).toHaveLength(1);
    expect(between(graph(), 'api', queue)).toEqual([]);
    const forgotten = changed('AWS::Lambda::EventInvokeConfig', () => undefined);
    expect(between(graph(forgotten), 'flush', queue)).toEqual([]);
  });

  it('is drawn with a node and an arrow for each, under names without versions', () => {
    const { nodes, edges } = graph();
    const lines = mermaidOf({ nodes, edges, vpc: 'the "VPC"' })
      .split('\n')
      .map((line) => line.trim());
    expect(lines.filter((line) => /^n_\w+[[(]/.test(line))).toHaveLength(nodes.length);
    expect(lines.filter((line) => /^n_\w+ (==|--|-\.-)>/.test(line))).toHaveLength(edges.length);
    expect(lines).toContain('subgraph vpc["the #quot;VPC#quot;"]');
    expect(lines.filter((line) => /^n_\w*\d+\w* /.test(line))).toEqual([]);
  });
});

describe('the table of rules', () => {
  const table = (templates: StageTemplates): string => rulesTable(rulesOf(resourcesOf(templates)));

  it('has all of them, and nothing else', () => {
    expect(
      rulesOf(resourcesOf(TEMPLATES)).map(
        ({ from, to, protocol, port }) => `${from} ${to} ${protocol} ${port}`,
      ),
    ).toEqual(['Lambda Cache tcp 6379', 'Lambda Database tcp 5432', `${LEGACY} Cache tcp 6379`]);
  });

  it('shows a rule that is on one side only', () => {
    const oneSided = changed('AWS::EC2::SecurityGroupEgress', () => undefined);
    expect(table(oneSided)).toContain('| Lambda | Cache | tcp 6379 | NO | yes |');
  });

  it('shows a group that is open to an address', () => {
    const open = changed('AWS::EC2::SecurityGroup', (group) =>
      withProperties(group, { SecurityGroupIngress: [{ IpProtocol: '-1', CidrIp: '0.0.0.0/0' }] }),
    );
    expect(table(open)).toContain('| 0.0.0.0/0 | Cache | -1 all |');
  });
});
