import type { StageTemplates, TemplateResource } from '../../lib/templates.ts';

/** A resource of a stage, in whichever of its stacks. */
export interface Found {
  readonly stack: string;
  readonly id: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly resource: TemplateResource;
  /** The last word of the path in the CDK app that means something: `Lambda` of `.../SecurityGroups/Lambda/Resource`. */
  readonly name: string;
}

/** The resources of a stage, and what refers to what, across its stacks. */
export interface Resources {
  ofType(type: string): readonly Found[];
  /** The resources that a value names anywhere in it, each once, in the order of their appearance. */
  namedIn(value: unknown, stack: string): readonly Found[];
}

/** Reads the templates of a stage. */
export function resourcesOf(templates: StageTemplates): Resources {
  const all = Object.entries(templates).flatMap(([stack, { Resources }]) =>
    Object.entries(Resources).map(([id, resource]) => foundOf(stack, id, resource)),
  );
  const byKey = new Map(all.map((found) => [`${found.stack}/${found.id}`, found]));

  const collect = (value: unknown, stack: string, into: Set<Found>): void => {
    if (Array.isArray(value)) for (const each of value) collect(each, stack, into);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'Fn::GetStackOutput') {
        const { StackName, OutputName } = inner as { StackName: string; OutputName: string };
        collect(templates[StackName]?.Outputs?.[OutputName]?.Value, StackName, into);
        continue;
      }
      const named = key === 'Ref' ? inner : key === 'Fn::GetAtt' ? [inner].flat()[0] : undefined;
      const found = byKey.get(`${stack}/${String(named)}`);
      if (found) into.add(found);
      collect(inner, stack, into);
    }
  };

  return {
    ofType: (type) => all.filter((found) => found.type === type),
    namedIn(value, stack) {
      const found = new Set<Found>();
      collect(value, stack, found);
      return [...found];
    },
  };
}

function foundOf(stack: string, id: string, resource: TemplateResource): Found {
  const path = String(resource.Metadata?.['aws:cdk:path'] ?? id).split('/');
  const name = path.filter((part) => !['Resource', 'Default'].includes(part)).at(-1) ?? id;
  return { stack, id, type: resource.Type, properties: resource.Properties ?? {}, resource, name };
}

/** A value of a template as text: what is only known after a deployment is left out. */
export function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join('');
  if (typeof value === 'string' || typeof value === 'number') return String(value);
  const [, parts] = ((value as Record<string, unknown> | undefined)?.['Fn::Join'] ?? []) as unknown[];
  return Array.isArray(parts) ? parts.map(textOf).join('') : '';
}
