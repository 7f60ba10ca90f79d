import { Command } from 'commander';
import colors from 'picocolors';
import { type Explanation, explain } from '../lambda/explain/explain.ts';
import type { PlaceReport } from '../lambda/explain/place.ts';
import { requireOneRedis, STAGE_HELP, type StageFlag, withStage } from './stage-option.ts';
import { bytesText, durationText, table } from './text.ts';

interface Flags extends StageFlag {
  readonly json?: true;
  readonly showValue?: true;
}

const described = new Command('explain')
  .description(
    'say of one logical key where it stands, what the outbox knows of it, and why it may be read old',
  )
  .argument('<key>', 'as a handler names it, such as mocs:user:123:list')
  .option(
    '--show-value',
    'tell the cached values, too; they may be a person’s, and those of state are never told',
  )
  .option('--json', 'print it as JSON');

export const explainCommand = withStage(described)
  .addHelpText(
    'after',
    `
Reads only. Without DATABASE_URL the outbox is not asked, and it says so.

Environment: REDIS_URL and NODE_ENV (required), REDIS_CLUSTER, REDIS_AUTH, DATABASE_URL, DATABASE_AUTH, CW_RL_PREFIX_ENABLED. The user
of the Redis needs the rights of \`serverless\` in lambda/contract/access.ts; where it may TYPE, collections are told by their kind.
${STAGE_HELP}
Exit codes: 0 explained, 1 failed, 2 bad usage, or a key of no family.`,
  )
  .action(async (key: string, { stage, json, showValue: shows }: Flags) => {
    const showValue = shows === true;
    const explanation =
      stage === undefined
        ? await explain(process.env, { key, showValue })
        : await explainAt(stage, { key, showValue });
    console.log(json ? JSON.stringify(explanation, null, 2) : describeExplanation(explanation));
  });

async function explainAt(stage: string, event: { key: string; showValue: boolean }): Promise<Explanation> {
  requireOneRedis('explain', stage);
  // Not above: the AWS SDK is much to load for who does not use it.
  const { explainByStage } = await import('./by-stage.ts');
  return explainByStage(stage, event);
}

/** An explanation for a person: where the key stands, what named it, and what follows. */
export function describeExplanation(explanation: Explanation): string {
  const { key, family, kind, ttlSeconds, readAt, places, lease, tags, replayed, outbox, reasons } =
    explanation;
  const ttl = ttlSeconds === null ? '' : `, filled for ${durationText(ttlSeconds)}`;
  const readers = (physical: string) =>
    Object.entries(readAt)
      .flatMap(([phase, home]) => (home === physical ? [phase] : []))
      .join(', ');
  const rows = [...places, lease].map((place) => [
    place.key,
    place.kind ?? (place.error === undefined ? '-' : 'unknown'),
    ...[ttlText(place), place.bytes === undefined ? '' : bytesText(place.bytes), readers(place.key)],
  ]);
  const values = places.flatMap(({ key: at, value }) => (value === undefined ? [] : [`  ${at}  ${value}`]));
  return [
    `${colors.bold(key)}  family ${family}, ${kind}${ttl}`,
    '',
    table(['place', 'holds', 'expires in', 'bytes', 'read in phase'], rows),
    ...[...places, lease].flatMap(({ key: at, error }) => (error === undefined ? [] : [`  ${at}: ${error}`])),
    ...(values.length > 0 ? ['', colors.bold('values'), ...values] : []),
    ...(tags.length > 0 ? ['', colors.bold('tags'), ...tags.map(tagLine)] : []),
    ...['', colors.bold('replayed')],
    ...replayed.map(({ mark, life, isCurrent }) =>
      isCurrent
        ? '  to the life of the server that answers'
        : mark === null
          ? '  never yet'
          : `  to ${mark}, and the server that answers lives ${life}`,
    ),
    ...(outbox && outbox.length > 0 ? ['', colors.bold('writes that named it'), ...outbox.map(rowLine)] : []),
    ...['', colors.bold('why was this read old?')],
    ...(reasons.length > 0 ? reasons : [NO_REASON]).map((reason) => `- ${reason}`),
  ].join('\n');
}

const NO_REASON = 'Nothing here says that it was.';

function ttlText({ kind, ttlMs }: PlaceReport): string {
  if (kind === undefined) return '';
  return typeof ttlMs === 'number' ? durationText(ttlMs / 1000) : 'never';
}

const tagLine = ({ tag, epoch, equalAt, outdatedAt }: Explanation['tags'][number]): string =>
  [
    `  ${tag}: ${epoch === null ? 'no epoch' : `epoch ${epoch}`}`,
    ...(equalAt.length > 0 ? [`equal at ${equalAt.join(', ')}`] : []),
    ...(outdatedAt.length > 0 ? [`outdated at ${outdatedAt.join(', ')}`] : []),
  ].join('; ');

const rowLine = ({
  id,
  kind,
  name,
  writer,
  byTrigger,
  writtenAt,
  confirmedAt,
}: NonNullable<Explanation['outbox']>[number]): string =>
  `  ${writtenAt}  row ${id}, ${kind} ${name}, by ${writer}${byTrigger ? ' (a trigger saw it)' : ''}, ${confirmedAt === null ? colors.yellow('not confirmed') : `confirmed ${confirmedAt}`}`;
