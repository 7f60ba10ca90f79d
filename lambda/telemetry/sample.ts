/** Some of many values, each with the same chance to be among them (Algorithm R). */
export interface Sample {
  add(value: number): void;
  /** Those of now, rounded to hundredths, and begins anew. */
  take(): number[];
}

/** @param size how many values are kept at the most. */
export function createSample(size: number): Sample {
  let values: number[] = [];
  let seen = 0;
  return {
    add(value) {
      seen += 1;
      const place = values.length < size ? values.length : Math.floor(Math.random() * seen);
      if (place < size) values[place] = value;
    },
    take() {
      const taken = values.map((value) => Math.round(value * 100) / 100);
      [values, seen] = [[], 0];
      return taken;
    },
  };
}

/** The value that 95 % of them do not pass; undefined without one. */
export function p95Of(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.ceil(sorted.length * 0.95) - 1];
}
