import type { Graph, GraphEdge, GraphNode } from './model.ts';

const SHAPES: Readonly<Record<GraphNode['kind'], readonly [string, string]>> = {
  function: ['[[', ']]'],
  server: ['[(', ')]'],
  service: ['[', ']'],
  person: ['([', '])'],
};

const LINES: Readonly<Record<GraphEdge['kind'], string>> = {
  connection: '==>',
  call: '-->',
  failure: '-.->',
};

/** A graph as Mermaid draws it, in a Markdown block; the same text for the same graph. */
export function mermaidOf({ vpc, nodes, edges }: Graph): string {
  const names = namesOf(nodes);
  const nameOf = (id: string): string => names.get(id) ?? id;
  const drawn = (node: GraphNode): string => {
    const [open, close] = SHAPES[node.kind];
    return `${nameOf(node.id)}${open}"${node.lines.map(escaped).join('<br/>')}"${close}`;
  };
  const at = (place: GraphNode['place']): string[] =>
    nodes
      .filter((node) => node.place === place)
      .map(drawn)
      .sort();
  const lines = [
    'flowchart LR',
    ...at('outside').map(indented(1)),
    `  subgraph vpc["${escaped(vpc)}"]`,
    '    subgraph functions["functions, in a security group of their own"]',
    ...at('vpc').map(indented(3)),
    '    end',
    ...at('data').map(indented(2)),
    '  end',
    ...edges
      .map((edge) => arrow(edge, nameOf))
      .sort()
      .map(indented(1)),
  ];
  return ['```mermaid', ...lines, '```'].join('\n');
}

function arrow({ from, to, label, kind }: GraphEdge, nameOf: (id: string) => string): string {
  return `${nameOf(from)} ${LINES[kind]}${label ? `|"${escaped(label)}"|` : ''} ${nameOf(to)}`;
}

/** Short names that do not change with a resource's logical id, and that are no words of Mermaid (`end`). */
function namesOf(nodes: readonly GraphNode[]): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  for (const { id, lines } of nodes) {
    // Without a version, which changes.
    const words = (lines[0] ?? id)
      .replace(/ [\d.]+$/, '')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '_');
    let name = `n_${words}`;
    for (let count = 2; [...names.values()].includes(name); count += 1) name = `n_${words}_${count}`;
    names.set(id, name);
  }
  return names;
}

const indented = (depth: number) => (line: string) => `${'  '.repeat(depth)}${line}`;
/** Mermaid's own way: a quotation mark would end the text. */
const escaped = (text: string): string => text.replaceAll('"', '#quot;');
