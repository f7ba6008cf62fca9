import { type BatchContext, CommandBatch, type EncodedDispatch } from './command-batch.ts';
import type { PlannedCommand, PlannedDispatch } from './plan.ts';
import { COPY, copyWork } from './submits/cost-model.ts';
import type { Task } from './submits/submit-queue.ts';

/** Submits a plan's commands, as many at a time as are predicted to take no longer than a submit may. */
export class Replay implements Task {
  /** The next command, and of its parts, where it is divided, the next one. */
  private next = 0;
  private parts: readonly EncodedDispatch[] = [];
  private part = 0;

  constructor(
    private readonly context: BatchContext,
    private readonly commands: readonly PlannedCommand[],
    /** Called with the number of dispatches that were submitted. */
    private readonly submitted: (dispatches: number) => void,
    public ready?: Promise<void>,
  ) {}

  submitNext(): boolean {
    const batch = new CommandBatch(this.context);
    while (this.next < this.commands.length && this.encode(batch, this.commands[this.next])) this.next += 1;
    batch.finish()();
    this.submitted(batch.dispatches);
    return this.next === this.commands.length;
  }

  /** Returns whether the whole command had room in the batch. */
  private encode(batch: CommandBatch, command: PlannedCommand): boolean {
    const { costs, submitMs } = this.context.submits;
    const copies = 'source' in command;
    const ms = copies
      ? costs.dispatchMs(COPY, copyWork(command.bytes))
      : costs.dispatchMs(command.program.name, command.work);
    if (!copies && (this.parts.length > 0 || ms > submitMs)) return this.encodeParts(batch, command, ms);
    if (!batch.fits(ms)) return false;
    if (copies) batch.copy(command, ms);
    else batch.dispatch(command, ms);
    return true;
  }

  private encodeParts(batch: CommandBatch, command: PlannedDispatch, wholeMs: number): boolean {
    const { program, division } = command;
    const { name } = program;
    const { submits } = this.context;
    if (this.parts.length === 0) this.parts = command.divided(submits.partsOf(name, wholeMs, division));
    for (; this.part < this.parts.length; this.part++) {
      const part = this.parts[this.part];
      const ms = submits.costs.dispatchMs(name, part.work);
      if (!batch.fits(ms)) return false;
      batch.dispatch(part, ms);
    }
    this.parts = [];
    this.part = 0;
    return true;
  }
}
