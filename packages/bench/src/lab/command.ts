/** A command of the lab. */
export interface LabCommand {
  summary: string;
  help: string;
  run(args: readonly string[]): Promise<number>;
}
