import { setTimeout as sleep } from 'node:timers/promises';
import {
  CodeDeployClient,
  GetDeploymentCommand,
  paginateListDeployments,
  StopDeploymentCommand,
} from '@aws-sdk/client-codedeploy';
import {
  GetAliasCommand,
  LambdaClient,
  paginateListVersionsByFunction,
  UpdateAliasCommand,
} from '@aws-sdk/client-lambda';
import { AwsError, asking, isNamed } from './errors.ts';
import type { Patience } from './records.ts';
import type { ServiceOutputs } from './stacks.ts';

/** Where an alias points to. */
export interface AliasState {
  readonly version: number;
  /** The versions that have a share of its traffic beside that one. */
  readonly shared: readonly number[];
  readonly revisionId: string | undefined;
}

/** A deployment that moves the alias just now. */
export interface Deployment {
  readonly id: string;
  /** Whether it is CodeDeploy's own way back, which must not be stopped. */
  readonly isRollback: boolean;
}

/** What is asked of AWS for the way back of an alias. All of it @throws AwsError. */
export interface AliasControl {
  state(): Promise<AliasState>;
  /** The versions that are published, the newest first. */
  versions(): Promise<readonly number[]>;
  deployments(): Promise<readonly Deployment[]>;
  /** Stops it, and has CodeDeploy go back. @returns false when it was over already. */
  stop(deployment: Deployment): Promise<boolean>;
  /** Points the alias to one version, alone, unless somebody has moved it since. */
  moveTo(version: number, from: AliasState): Promise<void>;
  /** Waits until no deployment moves the alias and one older version has all of its traffic. */
  settled(signal: AbortSignal): Promise<AliasState>;
}

const IN_PROGRESS = ['Created', 'Queued', 'InProgress', 'Baking', 'Ready'] as const;

/** The alias of a stage's API. */
export function aliasOf(service: ServiceOutputs, { everyMs, patienceMs }: Patience): AliasControl {
  const { apiFunction: FunctionName, alias: Name, application, deploymentGroup } = service;
  const lambda = new LambdaClient({});
  const codeDeploy = new CodeDeployClient({});

  const control: AliasControl = {
    async state() {
      const { FunctionVersion, RoutingConfig, RevisionId } = await asking(
        `lambda:GetAlias of ${FunctionName}:${Name}`,
        () => lambda.send(new GetAliasCommand({ FunctionName, Name })),
      );
      const version = Number(FunctionVersion);
      if (!Number.isInteger(version)) {
        throw new AwsError(
          `lambda: the alias ${Name} of ${FunctionName} is at ${FunctionVersion}, which is no published version; deploy the stage`,
        );
      }
      const shared = Object.keys(RoutingConfig?.AdditionalVersionWeights ?? {}).map(Number);
      return { version, shared, revisionId: RevisionId };
    },
    async versions() {
      return asking(`lambda:ListVersionsByFunction of ${FunctionName}`, async () => {
        const versions: number[] = [];
        for await (const { Versions = [] } of paginateListVersionsByFunction(
          { client: lambda },
          { FunctionName },
        )) {
          versions.push(...Versions.map(({ Version }) => Number(Version)).filter(Number.isInteger));
        }
        return versions.sort((one, other) => other - one);
      });
    },
    async deployments() {
      return asking(`codedeploy:ListDeployments of ${application}`, async () => {
        const ids: string[] = [];
        for await (const { deployments = [] } of paginateListDeployments(
          { client: codeDeploy },
          {
            applicationName: application,
            deploymentGroupName: deploymentGroup,
            includeOnlyStatuses: [...IN_PROGRESS],
          },
        )) {
          ids.push(...deployments);
        }
        return Promise.all(
          ids.map(async (id) => {
            const { deploymentInfo } = await codeDeploy.send(new GetDeploymentCommand({ deploymentId: id }));
            return { id, isRollback: deploymentInfo?.creator === 'codeDeployRollback' };
          }),
        );
      });
    },
    async stop({ id }) {
      return asking(`codedeploy:StopDeployment of ${id}`, async () => {
        try {
          await codeDeploy.send(new StopDeploymentCommand({ deploymentId: id, autoRollbackEnabled: true }));
          return true;
        } catch (error) {
          if (isNamed(error, 'DeploymentAlreadyCompletedException')) return false;
          throw error;
        }
      });
    },
    async moveTo(version, { revisionId }) {
      await asking(`lambda:UpdateAlias of ${FunctionName}:${Name}`, () =>
        lambda.send(
          new UpdateAliasCommand({
            ...{ FunctionName, Name, FunctionVersion: String(version), RevisionId: revisionId },
            RoutingConfig: { AdditionalVersionWeights: {} },
          }),
        ),
      );
    },
    async settled(signal) {
      const endsAt = performance.now() + patienceMs;
      // What is being deployed was published last.
      const [newest = 0] = await control.versions();
      for (;;) {
        const [running, state] = [await control.deployments(), await control.state()];
        if (running.length === 0 && state.shared.length === 0 && state.version < newest) return state;
        if (performance.now() > endsAt) {
          throw new AwsError(
            `codedeploy: after ${patienceMs / 1000} s the alias ${Name} is at version ${[state.version, ...state.shared].join(' and ')}, with ${running.length} deployments under way`,
          );
        }
        await sleep(everyMs, undefined, { signal }).catch(() => {
          throw new AwsError('codedeploy: nobody waits any longer for its way back, which goes on');
        });
      }
    },
  };
  return control;
}
