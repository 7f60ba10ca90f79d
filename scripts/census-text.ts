import colors from 'picocolors';
import { type CensusReport, requireWhole } from '../lambda/flush/census/census.ts';
import type { ClassFigures, GroupFigures, NamespaceFigures } from '../lambda/flush/census/report.ts';
import { bytesText, countText, durationText, table } from './text.ts';

const BAR_WIDTH = 20;
const PARTS_OF_A_BLOCK = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A share from 0 to 1 as a bar, to an eighth of a character; what is not nothing shows. */
export function bar(share: number): string {
  const eighths = Math.min(BAR_WIDTH * 8, share > 0 ? Math.max(1, Math.round(share * BAR_WIDTH * 8)) : 0);
  return ('█'.repeat(Math.floor(eighths / 8)) + PARTS_OF_A_BLOCK[eighths % 8]).padEnd(BAR_WIDTH);
}

/** Prints the report. @throws FlushLimitError after it, for a census that did not see every key. */
export function printCensus(report: CensusReport, { env, json }: { env: string; json: boolean }): void {
  console.log(json ? JSON.stringify(report, null, 2) : describeCensus(report, env));
  requireWhole(report);
}

/** The report for a person; where keys expire it tells the first, the middle and the last. */
export function describeCensus(report: CensusReport, env: string): string {
  const { keys, bytes, seconds, vanished, namespaces, classes, largest, unclassified } = report;
  const gone = vanished > 0 ? `, ${countText(vanished)} went meanwhile` : '';
  const sections = [
    `${colors.bold('census')}  ${countText(keys)} keys, ${bytesText(bytes)} in ${seconds} s${gone}`,
    section('namespaces', namespaceTable(namespaces)),
    ...(classes.length > 0 ? [section('families', classTable(classes, bytes))] : []),
    ...(largest.length > 0
      ? [
          section(
            'largest keys',
            largest.map((each) => `${bytesText(each.bytes).padStart(10)}  ${each.key}`),
          ),
        ]
      : []),
    ...(unclassified.keys > 0 ? [section('of no family', groupLines(report, env))] : []),
  ];
  return sections.join('\n\n');
}

const section = (title: string, lines: string | readonly string[]): string =>
  [colors.bold(title), ...[lines].flat()].join('\n');

const percentText = (share: number): string => `${(share * 100).toFixed(1)} %`;
const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);

/** The keys of the cache families are what a migration moves: the bars compare these. */
function namespaceTable(namespaces: readonly NamespaceFigures[]): string {
  const cached = namespaces.reduce((sum, { cacheKeys }) => sum + cacheKeys, 0);
  return table(
    ['namespace', 'share of the cached keys', '', 'cached', 'bytes', 'all keys', 'bytes'],
    namespaces.map((each) => {
      const share = shareOf(each.cacheKeys, cached);
      return [
        nameOf(each.namespace),
        bar(share),
        percentText(share),
        ...[countText(each.cacheKeys), bytesText(each.cacheBytes)],
        ...[countText(each.keys), bytesText(each.bytes)],
      ];
    }),
  );
}

const nameOf = (namespace: string): string => namespace || 'legacy (none)';

function classTable(classes: readonly ClassFigures[], total: number): string {
  return table(
    ['keys', '', 'share of the bytes', '', 'bytes', 'keys', 'expire in', 'never'],
    classes.map((each) => {
      const share = shareOf(each.bytes, total);
      const { ttlSeconds, lasting } = each;
      return [
        `${each.namespace}${each.family === undefined ? '(no family)' : `${each.family}:*`}`,
        each.kind === 'unclassified' ? '' : each.kind,
        bar(share),
        percentText(share),
        bytesText(each.bytes),
        countText(each.keys),
        ttlSeconds
          ? [ttlSeconds.shortest, ttlSeconds.median, ttlSeconds.longest].map(durationText).join(' - ')
          : '',
        lasting > 0 ? percentText(shareOf(lasting, each.keys)) : '',
      ];
    }),
  );
}

function groupLines({ unclassified }: CensusReport, env: string): string[] {
  const { keys, bytes, groups, otherKeys } = unclassified;
  const rows = groups.map((each) => [
    each.beginning === '' ? '(no colon)' : `${each.beginning}*`,
    bar(shareOf(each.keys, keys)),
    countText(each.keys),
    bytesText(each.bytes),
  ]);
  const shown = table(['begin with', 'share of these keys', 'keys', 'bytes'], rows);
  return [
    `${countText(keys)} keys, ${bytesText(bytes)}: add a family to lambda/contract/families.ts for what is yours`,
    shown,
    ...(otherKeys > 0 ? [`and ${countText(otherKeys)} keys that begin otherwise`] : []),
    ...groups.flatMap((each) => environmentHint(each, env)),
    'for example',
    ...groups.flatMap(({ samples }) => samples.map((key) => `  ${key}`)),
  ];
}

/** What a wrong NODE_ENV looks like. */
function environmentHint({ beginning }: GroupFigures, env: string): string[] {
  const [, other] = /^cw:([\w-]+):$/.exec(beginning) ?? [];
  if (other === undefined || other === env) return [];
  return [`${beginning}* is the namespace of NODE_ENV=${other}; set it to see the families there`];
}
