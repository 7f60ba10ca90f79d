import Table from 'cli-table3';
import colors from 'picocolors';
import type { Bench, Target } from './bench.ts';

/** The heading of what follows. */
export const title = (text: string, explanation: string): string =>
  `\n${colors.bold(text)}  ${colors.dim(explanation)}`;

export function table(head: string[], lines: readonly string[][]): string {
  const result = new Table({ head, style: { head: [], border: [] } });
  result.push(...lines);
  return result.toString();
}

/** The end of a report: which targets were met, where and when. */
export function verdict(targets: readonly Target[], { machine, date }: Bench<unknown>): string {
  const lines = targets.map(({ name, met, measured }) =>
    met ? `${colors.green('met   ')} ${name} (${measured})` : colors.red(`missed ${name} (${measured})`),
  );
  return [title('Targets', `${machine}, ${date}`), ...lines].join('\n');
}
