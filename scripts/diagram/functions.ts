import type { GraphNode, Part } from './model.ts';
import type { Found, Resources } from './resources.ts';

/** The code of `templatesOf`: the function's name. */
const functionName = ({ properties }: Found): string | undefined =>
  (properties['Code'] as { ZipFile?: string } | undefined)?.ZipFile;

/** Whether it is a function of `lambda/functions/`, and not a helper of the CDK. */
export const isOurs = (found: Found): boolean => functionName(found) !== undefined;

/** What its node is called. */
export const idOf = (found: Found): string => functionName(found) ?? found.id;

/** The functions, in the VPC or not. */
export function functionsIn(resources: Resources): Part {
  const nodes = resources
    .ofType('AWS::Lambda::Function')
    .filter(isOurs)
    .map((found): GraphNode => {
      const place = found.properties['VpcConfig'] ? 'vpc' : 'outside';
      return { id: idOf(found), lines: [idOf(found)], place, kind: 'function' };
    });
  return { nodes, edges: [] };
}
