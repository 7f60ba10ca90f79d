import { App } from 'aws-cdk-lib';
import { createStacks } from '../lib/stacks.ts';
import { readStage } from '../lib/stages.ts';

const app = new App();
createStacks(app, readStage(app.node));
