import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { PHASE_SWITCHES } from '../lambda/contract/environment.ts';
import { FAMILIES, type Family } from '../lambda/contract/families.ts';
import { NEIGHBOURS } from '../lambda/contract/namespaces.ts';
import { MIN_STAGE_MINUTES } from '../lambda/contract/rollout.ts';
import { type Checks, checksOf, FORMATS, isIssuer, isRoomyBlock, ROOMY_BLOCK } from './stage-checks.ts';
import type { ExistingServer, Rollout, StageConfig } from './stages.ts';

/**
 * The configuration itself, once every field is in its range: what CloudFormation would accept and AWS
 * refuse half an hour later is refused here, all of it at once.
 * @throws an error with one line a problem: stage, field, value, and what would do.
 */
export function validStage(stage: StageConfig, families: readonly Family[] = FAMILIES): StageConfig {
  const problems: string[] = [];
  const checks = checksOf(stage.name, problems);
  checkMigration(stage, families, checks);
  checkNetwork(stage, checks);
  checkCache(stage, checks);
  checkDatabase(stage, checks);
  checkApi(stage, checks);
  checkDeployment(stage, checks);
  checkRollout(stage, checks);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return stage;
}

function checkMigration(stage: StageConfig, families: readonly Family[], { check }: Checks): void {
  const { phase, rateLimitsPrefixed, cacheMode } = stage;
  check(['redis', 'memory'].includes(cacheMode), 'cacheMode', cacheMode, 'redis or memory');
  const phases = Object.keys(PHASE_SWITCHES);
  const isPhase = phases.includes(phase);
  check(isPhase, 'phase', phase, `one of ${phases.join(', ')}`);
  if (!isPhase) return;
  const isNamespaced = phase === 'dual' || phase === 'prefixed';
  check(
    isNamespaced || !rateLimitsPrefixed,
    'rateLimitsPrefixed',
    rateLimitsPrefixed,
    `false in phase ${phase}; set phase to dual first`,
  );
  for (const { name, phase: own } of families) {
    if (own === undefined) continue;
    // Only what is one step apart is covered by one set of rights, and may run at once.
    const near = [own, ...NEIGHBOURS[own]];
    check(near.includes(phase), 'phase', phase, `${near.join(' or ')}, as the family ${name} is in ${own}`);
  }
}

function checkNetwork({ vpc, legacySecurityGroupIds }: StageConfig, checks: Checks): void {
  const { check, checkFormat, checkFormats } = checks;
  checkFormats('legacySecurityGroupIds', legacySecurityGroupIds, FORMATS.securityGroupId);
  if (!('existing' in vpc)) {
    check(isRoomyBlock(vpc.cidr), 'vpc.cidr', vpc.cidr, ROOMY_BLOCK);
    checkFormats('vpc.interfaceEndpoints', vpc.interfaceEndpoints, FORMATS.awsService);
    return;
  }
  const { vpcId, availabilityZones: zones = [], isolatedSubnetIds: subnets = [] } = vpc.existing;
  const [zonesField, subnetsField] = ['vpc.existing.availabilityZones', 'vpc.existing.isolatedSubnetIds'];
  checkFormat('vpc.existing.vpcId', vpcId, FORMATS.vpcId);
  check(new Set(zones).size === zones.length, zonesField, zones, 'without repetition');
  check(zones.length >= 2, zonesField, zones, 'at least two zones, as eu-central-1a and eu-central-1b');
  checkFormats(subnetsField, subnets, FORMATS.subnetId);
  const wanted = `one subnet in each zone of ${zonesField}, which are ${zones.length}`;
  check(subnets.length === zones.length, subnetsField, subnets, wanted);
}

function checkCache(stage: StageConfig, checks: Checks): void {
  const { check, checkFormat, checkWhole } = checks;
  const { cache } = stage;
  if ('existing' in cache) {
    checkServer(stage, { field: 'cache.existing', ...cache }, checks);
    return;
  }
  const { engine, nodeType, replicas, multiAz } = cache;
  check(['redis', 'valkey'].includes(engine), 'cache.engine', engine, 'redis or valkey');
  checkFormat('cache.nodeType', nodeType, FORMATS.nodeType);
  checkWhole('cache.replicas', replicas, 0, 5);
  const wanted = 'false with cache.replicas 0; set cache.replicas to 1 for a node in another zone';
  check(!multiAz || replicas > 0, 'cache.multiAz', multiAz, wanted);
}

function checkDatabase(stage: StageConfig, checks: Checks): void {
  const { check, checkFormat, checkWhole } = checks;
  const { database } = stage;
  if ('existing' in database) {
    checkServer(stage, { field: 'database.existing', ...database }, checks);
    const { databaseName } = database.existing;
    checkFormat('database.existing.databaseName', databaseName, FORMATS.databaseName);
    return;
  }
  const { minCapacityUnits, maxCapacityUnits, readers } = database;
  const checkUnits = (field: string, value: number, min: number): void =>
    check(
      Number.isInteger(value * 2) && value >= min && value <= 256,
      field,
      value,
      `a multiple of 0.5, ${min} to 256`,
    );
  checkUnits('database.minCapacityUnits', minCapacityUnits, 0);
  checkUnits('database.maxCapacityUnits', maxCapacityUnits, Math.max(1, minCapacityUnits));
  checkWhole('database.readers', readers, 0, 15);
}

function checkServer(
  { vpc }: Pick<StageConfig, 'vpc'>,
  { field, existing }: { readonly field: string; readonly existing: ExistingServer },
  { check, checkFormat, checkWhole }: Checks,
): void {
  checkFormat(`${field}.host`, existing.host, FORMATS.host);
  checkWhole(`${field}.port`, existing.port, 1, 65_535);
  checkFormat(`${field}.securityGroupId`, existing.securityGroupId, FORMATS.securityGroupId);
  checkFormat(`${field}.secretArn`, existing.secretArn, FORMATS.secretArn);
  check('existing' in vpc, 'vpc', vpc, `vpc.existing, the VPC of ${field}: nothing leaves a VPC of its own`);
}

function checkApi({ api, publicFlags, oidc }: StageConfig, { check, checkWhole }: Checks): void {
  checkWhole('api.requestsPerSecond', api.requestsPerSecond, 1, 10_000);
  checkWhole('api.burstRequests', api.burstRequests, api.requestsPerSecond, 20_000);
  const { requestsPerSecond, burstRequests } = publicFlags;
  checkWhole('publicFlags.requestsPerSecond', requestsPerSecond, 1, api.requestsPerSecond);
  checkWhole('publicFlags.burstRequests', burstRequests, requestsPerSecond, api.burstRequests);
  if (!oidc) return;
  check(isIssuer(oidc.issuer), 'oidcIssuer', oidc.issuer, 'an https:// URL without query and fragment');
  check(oidc.audience !== '', 'oidcAudience', oidc.audience, 'set, since oidcIssuer is');
}

function checkDeployment(stage: StageConfig, { check, checkWhole }: Checks): void {
  const { canary, flush, logRetentionDays, monthlyBudgetDollars } = stage;
  const isRetention = RetentionDays[logRetentionDays] !== undefined;
  check(isRetention, 'logRetentionDays', logRetentionDays, 'a retention of CloudWatch Logs');
  if (typeof canary === 'string') {
    check(canary === 'all-at-once', 'canary', canary, 'all-at-once or { percent, minutes }');
  } else {
    const { percent, minutes } = canary;
    const isShare = Number.isInteger(percent) && percent >= 1 && percent <= 99;
    const wanted = "a whole number, 1 to 99; for all of the traffic write canary: 'all-at-once'";
    check(isShare, 'canary.percent', percent, wanted);
    // CodeDeploy's longest canary on Lambda is two days.
    checkWhole('canary.minutes', minutes, 1, 2880);
  }
  checkWhole('flush.hourUtc', flush.hourUtc, 0, 23);
  check(monthlyBudgetDollars > 0, 'monthlyBudgetDollars', monthlyBudgetDollars, 'above 0');
}

function checkRollout({ rollout }: StageConfig, { check, checkFormat, checkWhole }: Checks): void {
  if (!rollout) return;
  const { domainName, certificateArn, hostedZoneId, legacyTarget } = rollout;
  checkFormat('rollout.domainName', domainName, FORMATS.domainName);
  checkFormat('rollout.certificateArn', certificateArn, FORMATS.certificateArn);
  checkFormat('rollout.hostedZoneId', hostedZoneId, FORMATS.hostedZoneId);
  checkFormat('rollout.legacyTarget', legacyTarget, FORMATS.domainName);
  checkStages(rollout, { check, checkWhole });
  checkComparePaths(rollout, { check });
  const isItself = Boolean(domainName) && legacyTarget === domainName;
  check(!isItself, 'rollout.legacyTarget', legacyTarget, 'another name than rollout.domainName');
}

/** Each look at a stage is some ten events of an execution, which may have 25,000. */
const MAX_ROLLOUT_MINUTES = 2000;

function checkStages({ stages }: Rollout, { check, checkWhole }: Pick<Checks, 'check' | 'checkWhole'>): void {
  if (stages === undefined) return;
  const isList = Array.isArray(stages) && stages.length > 0;
  check(isList, 'rollout.stages', stages, 'a list of { percent, minutes }, or left out');
  if (!isList) return;
  for (const [index, { percent, minutes }] of stages.entries()) {
    const above = stages[index - 1]?.percent ?? 0;
    const field = `rollout.stages[${index}]`;
    const grows = Number.isInteger(percent) && percent > above && percent <= 100;
    check(grows, `${field}.percent`, percent, `a whole number above ${above}, 100 at the most: stages grow`);
    checkWhole(`${field}.minutes`, minutes, MIN_STAGE_MINUTES, MAX_ROLLOUT_MINUTES);
  }
  const minutes = stages.reduce((sum, stage) => sum + stage.minutes, 0);
  const inAll = `of ${MAX_ROLLOUT_MINUTES} minutes at the most in all, and they are ${minutes}`;
  check(
    !(minutes > MAX_ROLLOUT_MINUTES),
    'rollout.stages',
    stages.map((each) => each.minutes),
    inAll,
  );
  const last = stages.at(-1);
  const field = `rollout.stages[${stages.length - 1}].approval`;
  check(last?.approval !== true, field, last?.approval, 'left out: nothing comes after the last stage');
}

function checkComparePaths({ comparePaths }: Rollout, { check }: Pick<Checks, 'check'>): void {
  for (const [index, path] of (comparePaths ?? []).entries()) {
    const isPath = typeof path === 'string' && /^\/(?!\/)[\x21-\x7e]*$/.test(path);
    check(
      isPath,
      `rollout.comparePaths[${index}]`,
      path,
      'a path as /api/config/flags, without scheme and host',
    );
  }
  const some = comparePaths === undefined || comparePaths.length > 0;
  check(some, 'rollout.comparePaths', comparePaths, 'at least one path, or left out');
}
