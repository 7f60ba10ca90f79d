/** `cutover/mirror`: what the legacy backend imports, for one line around its Redis client. */
export { ConfigurationError } from '../contract/errors.ts';
export { type MirrorableClient, type MirrorOptions, mirror } from './mirror.ts';
