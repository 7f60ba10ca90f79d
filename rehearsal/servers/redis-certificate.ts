import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** What a server on this machine shows who it is with. */
export interface RedisCertificate {
  /** What a client has to trust, in PEM. */
  readonly ca: string;
  /** The options of redis-server. */
  readonly args: readonly string[];
}

const KEYS = { keyType: 'ec', algorithm: 'sha256' } as const;

/**
 * Makes a CA, and with it a certificate of 127.0.0.1 and localhost, in files of the folder; both valid for a year.
 */
export async function redisCertificate(folder: string): Promise<RedisCertificate> {
  // A package for development: whoever starts no server with TLS does not need it.
  const { generate } = await import('selfsigned');
  const ca = await generate([{ name: 'commonName', value: 'Cutover rehearsal CA' }], {
    ...KEYS,
    extensions: [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, critical: true },
    ],
  });
  const { cert, private: key } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    ...KEYS,
    ca: { cert: ca.cert, key: ca.private },
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 7, ip: '127.0.0.1' },
          { type: 2, value: 'localhost' },
        ],
      },
    ],
  });
  const file = (name: string, text: string) => {
    const at = path.join(folder, name);
    writeFileSync(at, text, { mode: 0o600 });
    return at;
  };
  return {
    ca: ca.cert,
    args: [
      ...['--tls-cert-file', file('server.crt', cert), '--tls-key-file', file('server.key', key)],
      ...['--tls-ca-cert-file', file('ca.crt', ca.cert), '--tls-auth-clients', 'no'],
    ],
  };
}
