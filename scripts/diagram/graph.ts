import { callsIn, deploymentIn, occasionsIn } from './calls.ts';
import { connectionsIn, serversIn } from './connections.ts';
import { entranceIn } from './entrance.ts';
import { failuresIn } from './failures.ts';
import { functionsIn } from './functions.ts';
import type { Graph } from './model.ts';
import type { Resources } from './resources.ts';

/** What a stage is made of and who talks to whom in it, all of it read from its templates. */
export function graphOf(resources: Resources): Graph {
  const functions = functionsIn(resources);
  const servers = serversIn(resources);
  const parts = [
    functions,
    servers,
    deploymentIn(resources),
    entranceIn(resources),
    occasionsIn(resources),
    failuresIn(resources),
  ];
  const connections = connectionsIn(resources, servers.found);
  const nodes = [...parts, connections].flatMap((part) => part.nodes);
  const edges = [...parts, connections, callsIn(resources)].flatMap((part) => part.edges);
  const known = new Set(nodes.map(({ id }) => id));
  const lost = edges.filter(({ from, to }) => !known.has(from) || !known.has(to));
  if (lost.length > 0) throw new Error(`diagram: no node for an end of ${JSON.stringify(lost)}`);
  return { vpc: vpcIn(resources), nodes, edges };
}

function vpcIn(resources: Resources): string {
  const [vpc] = resources.ofType('AWS::EC2::VPC');
  const subnets = resources.ofType('AWS::EC2::Subnet').map(({ properties }) => properties['CidrBlock']);
  return vpc
    ? `VPC ${vpc.properties['CidrBlock']}, isolated subnets ${subnets.join(' and ')}`
    : 'an existing VPC, isolated subnets';
}
