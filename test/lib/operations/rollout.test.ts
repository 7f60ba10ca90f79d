import { expect, it } from '@jest/globals';
import { synthesizeRollout } from '../../support/rollout-definition.ts';
it('x', () => { const { definition } = synthesizeRollout(); console.log(JSON.stringify(definition, null, 1)); expect(1).toBe(1); });
