import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { parseStop, type StopFlag } from '../stop.ts';
import { CLIENT_OPTIONS } from './client.ts';

/** The request to stop as a parameter of Systems Manager. @throws on use, the errors of the AWS SDK. */
export function stopParameter(name: string): StopFlag {
  const client = new SSMClient(CLIENT_OPTIONS);
  return {
    async read() {
      const { Parameter } = await client.send(new GetParameterCommand({ Name: name }));
      return parseStop(Parameter?.Value);
    },
    async write(request) {
      await client.send(
        new PutParameterCommand({ Name: name, Value: JSON.stringify(request), Overwrite: true }),
      );
    },
  };
}
