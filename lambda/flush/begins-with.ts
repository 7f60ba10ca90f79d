/** Whether the bytes from `start` to before `end` begin with the prefix. */
export function beginsWith(bytes: Uint8Array, start: number, prefix: Uint8Array, end: number): boolean {
  if (end - start < prefix.length) return false;
  for (let index = 0; index < prefix.length; index += 1) {
    if (bytes[start + index] !== prefix[index]) return false;
  }
  return true;
}
