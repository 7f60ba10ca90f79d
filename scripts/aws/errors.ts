import { CutoverError } from '../../lambda/contract/errors.ts';

/** AWS cannot be asked, or refuses: names what was asked for and the remedy. */
export class AwsError extends CutoverError {
  override readonly name = 'AwsError';
  readonly code: string;

  constructor(message: string, { code = 'CUTOVER_AWS', ...options }: ErrorOptions & { code?: string } = {}) {
    super(message, options);
    this.code = code;
  }
}

interface Remedy {
  /** Of the error's name, or of its message where it has none of its own. */
  readonly error: RegExp;
  /** What is wrong, and what to do. */
  readonly text: string;
  /** Whether the command line is not set up: exit code 2. */
  readonly setUp?: true;
}

const REMEDIES: readonly Remedy[] = [
  {
    error: /^Region (is missing|not accepted)/,
    text: 'there is no region, or none that can be one; export AWS_REGION=eu-central-1, or name it in the profile of AWS_PROFILE',
    setUp: true,
  },
  {
    error: /^(CredentialsProviderError|TokenProviderError)$|^Could not load credentials/,
    text: 'there are no credentials; aws sso login and export AWS_PROFILE, or export AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    setUp: true,
  },
  {
    error: /^(ExpiredToken|ExpiredTokenException|RequestExpired)$/,
    text: 'the credentials have expired; log in again, as with aws sso login',
    setUp: true,
  },
  {
    error:
      /^(InvalidClientTokenId|UnrecognizedClientException|InvalidSignatureException|SignatureDoesNotMatch)$/,
    text: 'AWS does not know these credentials; look at aws sts get-caller-identity',
    setUp: true,
  },
  {
    error: /^(AccessDenied|AccessDeniedException|UnauthorizedOperation)$/,
    text: 'the credentials may not do this; aws sts get-caller-identity says whose they are',
  },
  {
    error: /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|ECONNRESET|ETIMEDOUT|TimeoutError)$/,
    text: 'AWS does not answer; look at the network, the region and AWS_ENDPOINT_URL',
  },
];

/**
 * An error of the AWS SDK as one for a person; others are left alone.
 * @param asked what was asked for, as `cloudformation:DescribeStacks of Cutover-Dev-Service`.
 */
export function explained(error: unknown, asked: string): unknown {
  if (!(error instanceof Error) || error instanceof CutoverError) return error;
  const code = 'code' in error ? String(error.code) : '';
  const remedy = REMEDIES.find(({ error: known }) =>
    [error.name, code, error.message].some((each) => known.test(each)),
  );
  const told = error.message || code || error.name;
  return new AwsError(`${asked}: ${remedy ? `${remedy.text} (${told})` : told}`, {
    cause: error,
    ...(remedy?.setUp && { code: 'CUTOVER_CONFIGURATION' }),
  });
}

/** Asks AWS. @throws AwsError, as `explained` makes it; what is no error of the SDK as it is. */
export async function asking<T>(asked: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    throw explained(error, asked);
  }
}

/** Whether an error, or what it was made of, has one of these names. */
export function isNamed(error: unknown, ...names: readonly string[]): boolean {
  if (!(error instanceof Error)) return false;
  return names.includes(error.name) || isNamed(error.cause, ...names);
}
