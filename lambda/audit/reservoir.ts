/** A sample of what passes by, each with the same chance, however much it will be (Vitter's algorithm R, 1985). */
export interface Reservoir {
  add(key: () => string): void;
  readonly keys: readonly string[];
}

export function createReservoir(size: number, random: () => number = Math.random): Reservoir {
  const keys: string[] = [];
  let seen = 0;
  return {
    keys,
    add(key) {
      seen += 1;
      if (keys.length < size) keys.push(key());
      else {
        const place = Math.floor(random() * seen);
        if (place < size) keys[place] = key();
      }
    },
  };
}
