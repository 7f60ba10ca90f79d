/** Tasks that a process is asked to do: both sides have the same table of them, which a message cannot carry. */
export type TaskTable<Tasks> = { [Name in keyof Tasks]: (argument: never) => Promise<unknown> };

export type TaskName<Tasks> = keyof Tasks & string;
export type Argument<Tasks extends TaskTable<Tasks>, Name extends keyof Tasks> = Parameters<Tasks[Name]>[0];
export type Result<Tasks extends TaskTable<Tasks>, Name extends keyof Tasks> = Awaited<
  ReturnType<Tasks[Name]>
>;

/** What is sent to the process, and what it answers. */
export interface Request {
  readonly id: number;
  readonly task: string;
  readonly argument: unknown;
}

export type Reply =
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: string };

/** In the process: does what it is asked, and ends with the one that asks. */
export function serveTasks<Tasks extends TaskTable<Tasks>>(tasks: Tasks): void {
  const reply = (message: Reply) => process.send?.(message);
  process.on('message', async ({ id, task, argument }: Request) => {
    try {
      reply({ id, result: await tasks[task as keyof Tasks](argument as never) });
    } catch (error) {
      reply({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  });
  process.once('disconnect', () => process.exit(0));
  process.send?.('ready');
}
