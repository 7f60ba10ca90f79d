import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from './codes.ts';
import { type Finding, fail, pass } from './examination.ts';

/** A server as a URL names it. */
export interface Address {
  /** Without the brackets of IPv6. */
  readonly host: string;
  readonly port: number;
  /** The variable that names it, for the remedies. */
  readonly variable: string;
}

/** Each for itself; a name that is not answered, or a packet that is dropped, would take minutes. */
const PATIENCE_MS = 3000;

/** The host and the port of a URL. */
export function addressOf(url: string, defaultPort: number, variable: string): Address {
  const { hostname, port } = new URL(url);
  return { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || defaultPort), variable };
}

/** Whether a name resolves. */
export async function resolves({ host, variable }: Address): Promise<Finding> {
  if (isIP(host) !== 0) return pass(`${host} is an address`);
  const late = sleep(PATIENCE_MS, undefined, { ref: false });
  try {
    const found = await Promise.race([lookup(host, { all: true }), late]);
    if (found) return pass(`${host} is ${found.map(({ address }) => address).join(', ')}`);
    return fail(
      `DNS does not answer for ${host} within ${PATIENCE_MS / 1000} s`,
      'look at the resolver of this machine; in a VPC, enable its DNS support',
    );
  } catch (error) {
    return fail(
      `${host} has no address (${codeOf(error) || error})`,
      `correct the host of ${variable}; a private name resolves only inside its VPC`,
    );
  }
}

/** Whether somebody listens, and is reached. */
export function listens({ host, port, variable }: Address): Promise<Finding> {
  const at = `${host}:${port}`;
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (finding: Finding) => {
      socket.destroy();
      resolve(finding);
    };
    socket.setTimeout(PATIENCE_MS, () =>
      end(
        fail(
          `${at} does not answer within ${PATIENCE_MS / 1000} s: packets to it are dropped`,
          'admit this process to the port (security group, firewall), or start the host',
        ),
      ),
    );
    socket.once('connect', () => end(pass(`${at} accepts connections`)));
    socket.once('error', (error) => {
      const code = codeOf(error);
      const remedy =
        code === 'ECONNREFUSED'
          ? `start the server, or correct the port of ${variable}`
          : 'look at the route to it';
      end(fail(`${at} cannot be reached (${code})`, remedy));
    });
  });
}

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|::1)$/;

/** Whether a host is this machine, where nobody listens in. */
export const isLoopback = (host: string): boolean => LOOPBACK.test(host);
