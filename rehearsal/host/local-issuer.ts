import { generateKeyPair, SignJWT } from 'jose';
import type { Issuer } from './authorizer.ts';

/** An issuer of this process, and the one token that it issues. */
export interface LocalIssuer {
  readonly issuer: Issuer;
  readonly token: string;
}

/** For how long its token is good. */
export const TOKEN_HOURS = 8;
const NAME = 'cutover-local';
const SUBJECT = 'local';
const ALGORITHM = 'RS256';

/** Makes an issuer with a key of its own, which nobody else has: its token is good here, and while this process runs. */
export async function localIssuer(scope: string): Promise<LocalIssuer> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM);
  const token = await new SignJWT({ scope })
    .setProtectedHeader({ alg: ALGORITHM })
    .setIssuer(NAME)
    .setAudience(NAME)
    .setSubject(SUBJECT)
    .setIssuedAt()
    .setExpirationTime(`${TOKEN_HOURS}h`)
    .sign(privateKey);
  const issuer = { issuer: NAME, audience: NAME, algorithms: [ALGORITHM], keyOf: () => publicKey };
  return { issuer, token };
}
