import { RemovalPolicy, Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { removalPolicy } from '../removal.ts';
import type { StageConfig } from '../stages.ts';

/** The field of the secret's JSON that holds the generated word. */
export const PASSWORD_FIELD = 'password';

interface UrlSafeSecretProps {
  readonly stage: StageConfig;
  readonly description: string;
  /** The user that the password belongs to, if it has a name. */
  readonly username?: string;
}

/**
 * A generated password of letters and digits only. It becomes part of a URL in a template, where nothing can
 * escape it; 40 of them are 238 bits, so punctuation is not missed.
 */
export class UrlSafeSecret extends Secret {
  constructor(scope: Construct, id: string, { stage, description, username }: UrlSafeSecretProps) {
    super(scope, id, {
      description,
      generateSecretString: {
        secretStringTemplate: JSON.stringify(username === undefined ? {} : { username }),
        generateStringKey: PASSWORD_FIELD,
        passwordLength: 40,
        excludePunctuation: true,
      },
      removalPolicy: removalPolicy(stage, RemovalPolicy.RETAIN),
    });
    Validations.of(this).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'The URLs with this password are fixed at deployment, so a rotation would cut every function off until the next one; short-lived IAM tokens are what replaces it.',
    });
  }

  /**
   * The password as a CloudFormation dynamic reference, to be put into a function's environment: it is
   * resolved at deployment, because a function in a VPC without endpoints cannot ask Secrets Manager. The
   * template holds the reference only; whoever may read the function's configuration sees the value, which
   * is why IAM tokens, signed in the function, replace these passwords later.
   */
  get passwordReference(): string {
    return this.secretValueFromJson(PASSWORD_FIELD).unsafeUnwrap();
  }
}
