/** Where something is drawn. */
export type Place = 'outside' | 'vpc' | 'data';

/** Something that is deployed, or that is there. */
export interface GraphNode {
  readonly id: string;
  /** One text a line. */
  readonly lines: readonly string[];
  readonly place: Place;
  readonly kind: 'function' | 'server' | 'service' | 'person';
}

/** Who calls, or connects to, whom. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly label: string;
  /** A connection to a port, a call of an AWS API, or where an event goes that has failed. */
  readonly kind: 'connection' | 'call' | 'failure';
}

export interface Graph {
  /** What the VPC is, and its subnets. */
  readonly vpc: string;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** A part of a graph. */
export interface Part {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

/** One edge for those between the same two. */
export const unique = (edges: readonly GraphEdge[]): GraphEdge[] =>
  edges.filter(
    (edge, index) => edges.findIndex((other) => other.from === edge.from && other.to === edge.to) === index,
  );
