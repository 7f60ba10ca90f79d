import type { ServiceAnswer, ServiceRequest } from './aws.ts';

type Stacks = Readonly<Record<string, Readonly<Record<string, string>>>>;

/** CloudFormation that has these stacks, with their outputs; one that it has not has none. */
export const describeStacks =
  (stacks: () => Stacks) =>
  ({ body }: ServiceRequest): ServiceAnswer => {
    const stack = new URLSearchParams(body).get('StackName') ?? '';
    const members = Object.entries(stacks()[stack] ?? {}).map(
      ([key, value]) => `<member><OutputKey>${key}</OutputKey><OutputValue>${value}</OutputValue></member>`,
    );
    return {
      headers: { 'content-type': 'text/xml' },
      body: `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member><StackName>${stack}</StackName><CreationTime>2026-11-27T00:00:00Z</CreationTime><StackStatus>UPDATE_COMPLETE</StackStatus><Outputs>${members.join('')}</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`,
    };
  };
