import { BlockList, isIPv4 } from 'node:net';

/** Tells where a value goes when it is not what it must be: each call is one line of the error at most. */
export interface Checks {
  /** @param wanted what would do, to follow "it must be". */
  check(valid: boolean, field: string, value: unknown, wanted: string): void;
  checkWhole(field: string, value: number, min: number, max: number): void;
  checkFormat(field: string, value: unknown, format: Format): void;
  /** The same for each of them, and none twice. */
  checkFormats(field: string, values: readonly unknown[], format: Format): void;
}

/** How a text has to look, and in words what would do. */
export interface Format {
  readonly pattern: RegExp;
  readonly wanted: string;
}

/** The checks of a stage; what they find is added to `problems`. */
export function checksOf(stage: string, problems: string[]): Checks {
  const check: Checks['check'] = (valid, field, value, wanted) => {
    if (!valid) problems.push(`stages: ${stage}: ${field} is ${shown(value)}; it must be ${wanted}`);
  };
  const checkFormat: Checks['checkFormat'] = (field, value, { pattern, wanted }) =>
    // Node runs the table without its types: a field that was forgotten arrives here.
    check(typeof value === 'string' && pattern.test(value), field, value, wanted);
  return {
    check,
    checkWhole: (field, value, min, max) =>
      check(
        Number.isInteger(value) && value >= min && value <= max,
        field,
        value,
        `a whole number, ${min} to ${max}`,
      ),
    checkFormat,
    checkFormats: (field, values, format) => {
      if (!Array.isArray(values)) {
        check(false, field, values, 'a list');
        return;
      }
      check(new Set(values).size === values.length, field, values, 'without repetition');
      values.forEach((value, index) => {
        checkFormat(`${field}[${index}]`, value, format);
      });
    },
  };
}

function shown(value: unknown): string {
  if (value === undefined || value === '') return 'not set';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

const LABEL = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const arnOf = (service: string, resource: string) =>
  new RegExp(`^arn:aws(?:-[a-z]+)*:${service}:[a-z0-9-]+:\\d{12}:${resource}$`);
const idOf = (kind: string): Format => ({
  pattern: new RegExp(`^${kind}-[0-9a-f]{8,17}$`),
  wanted: `an id like ${kind}-0123456789abcdef0`,
});

/** How AWS writes what a stage names. */
export const FORMATS = {
  vpcId: idOf('vpc'),
  subnetId: idOf('subnet'),
  securityGroupId: idOf('sg'),
  host: {
    pattern: new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})*$`, 'i'),
    wanted: 'a host name, without scheme, port and path',
  },
  domainName: {
    pattern: new RegExp(`^(?=.{1,253}$)${LABEL}(?:\\.${LABEL})+$`),
    wanted: 'a domain name in lower case, without scheme, port and path',
  },
  secretArn: {
    pattern: arnOf('secretsmanager', 'secret:[\\w/+=.@-]+-[A-Za-z0-9]{6}'),
    wanted: 'the whole ARN of a secret in Secrets Manager',
  },
  certificateArn: {
    pattern: arnOf('acm', 'certificate/[\\w-]+'),
    wanted: 'the ARN of a certificate in ACM',
  },
  hostedZoneId: { pattern: /^Z[A-Z0-9]{1,31}$/, wanted: 'an id like Z0123456789ABCDEFGHIJ' },
  nodeType: { pattern: /^cache\.[a-z0-9]+\.[a-z0-9]+$/, wanted: 'like cache.t3.micro' },
  databaseName: { pattern: /^[A-Za-z_][\w-]{0,62}$/, wanted: 'a name of letters, digits, _ and -' },
  awsService: { pattern: /^[a-z0-9]+(?:[.-][a-z0-9]+)*$/, wanted: 'an AWS service, as secretsmanager' },
} satisfies Readonly<Record<string, Format>>;

const PRIVATE = new BlockList();
PRIVATE.addSubnet('10.0.0.0', 8);
PRIVATE.addSubnet('172.16.0.0', 12);
PRIVATE.addSubnet('192.168.0.0', 16);

/** What `isRoomyBlock` asks for, in words. */
export const ROOMY_BLOCK =
  'a block of 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 that begins at its first address and is a /16 to /23, so that two subnets of /24 fit: as 10.0.0.0/16';

/** Whether it is a private block that a VPC may have and that two subnets of /24 fit into. */
export function isRoomyBlock(cidr: unknown): boolean {
  const [, address = '', prefix = ''] = /^([\d.]+)\/(\d\d)$/.exec(String(cidr)) ?? [];
  const hostBits = 32 - Number(prefix);
  if (!isIPv4(address) || !PRIVATE.check(address) || hostBits < 9 || hostBits > 16) return false;
  const number = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  return number % 2 ** hostBits === 0;
}

/** Whether it is an issuer's URL, as OpenID Connect Discovery 1.0 has it, section 2. */
export function isIssuer(url: string): boolean {
  return URL.canParse(url) && /^https:\/\/[^?#]+$/.test(url);
}
