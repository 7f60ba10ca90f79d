import { listKey, type Owner } from '../lambda/collections/schema.ts';
import { COLLECTIONS } from '../lambda/contract/families.ts';
import { ZIPF_EXPONENT } from './options.ts';
import { drawBy, type Random, shuffled, zipfShares } from './random.ts';

/** One user's collection, and how much of the traffic is about it. */
export interface Target {
  readonly owner: Owner;
  readonly key: string;
  readonly share: number;
  /** The two devices of its user, either of which may ask. */
  readonly devices: readonly [Device, Device];
}

/** A device behind its own resolver: it goes to the serverless backend while its draw is below the weight. */
export interface Device {
  readonly name: string;
  /** From 0 to below 1, and never drawn again: each device crosses once. */
  draw: number;
}

export interface Population {
  readonly targets: readonly Target[];
  readonly devices: readonly Device[];
  /** Draws what the next request is about. */
  next(random: Random): Target;
}

/** Users with two devices each; their lists' popularity follows Zipf's law, in an order that the seed decides. */
export function populate({ users, random }: { users: number; random: Random }): Population {
  const owners = Array.from({ length: users }, (_, index) => `rehearsal-${index + 1}`).flatMap((userId) => {
    const devices: [Device, Device] = [
      { name: `${userId}-phone`, draw: 0 },
      { name: `${userId}-laptop`, draw: 0 },
    ];
    return COLLECTIONS.map((collection) => ({ owner: { userId, collection }, devices }));
  });
  const shares = zipfShares(owners.length, ZIPF_EXPONENT);
  const targets = shuffled(owners, random).map(
    ({ owner, devices }, rank): Target => ({ owner, devices, key: listKey(owner), share: shares[rank] ?? 0 }),
  );

  const traffic = new Map<Device, number>();
  for (const { devices, share } of targets) {
    for (const device of devices) traffic.set(device, (traffic.get(device) ?? 0) + share / 2);
  }
  stratify(traffic, random);

  const draw = drawBy(shares);
  return { targets, devices: [...traffic.keys()], next: (random) => targets[draw(random)] as Target };
}

/**
 * Lays the devices in random order along a line, each as wide as its traffic, and draws the middle of each: so a
 * weight of 5 % moves about 5 % of the traffic, whoever happens to be popular.
 */
function stratify(traffic: ReadonlyMap<Device, number>, random: Random): void {
  let begin = 0;
  for (const device of shuffled([...traffic.keys()], random)) {
    const width = traffic.get(device) ?? 0;
    device.draw = begin + width / 2;
    begin += width;
  }
}
