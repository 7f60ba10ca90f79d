import { writeFileSync } from 'node:fs';
import path from 'node:path';

/** What a server on this machine shows who it is with. */
export interface RedisCertificate {
  /** What a client has to trust, in PEM. */
  readonly ca: string;
  /** The options of redis-server. */
  readonly args: readonly string[];
}

/** Makes a self-signed certificate of 127.0.0.1 and localhost, valid for a year, in files of the folder. */
export async function redisCertificate(folder: string): Promise<RedisCertificate> {
  // A package for development: whoever starts no server with TLS does not need it.
  const { generate } = await import('selfsigned');
  const { cert, private: key } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    extensions: [
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
  const certFile = file('server.crt', cert);
  return {
    ca: cert,
    args: [
      ...['--tls-cert-file', certFile, '--tls-key-file', file('server.key', key)],
      ...['--tls-ca-cert-file', certFile, '--tls-auth-clients', 'no'],
    ],
  };
}
