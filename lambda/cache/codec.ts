/** How values become the bytes that Redis stores. */
export interface Codec {
  /** @returns undefined for a value that the encoding cannot hold. */
  encode(value: unknown): string | undefined;
  /** @throws for bytes that are no encoding of a value. */
  decode(bytes: string): unknown;
}

/** Plain JSON: what the legacy backend writes too, so that either reads what the other filled. */
export const jsonCodec: Codec = {
  encode: (value) => JSON.stringify(value) as string | undefined,
  decode: (bytes) => JSON.parse(bytes),
};
