/** What must hold whatever happens. */
export const INVARIANTS = {
  lost: 'no acknowledged write is lost',
  doubled: 'no write is done twice',
  wrong: 'no answer is wrong',
  late: 'no call outlives its deadline by more than 100 ms',
  slow: 'everything works again within 5 s of the last fault',
  leak: 'no process, container, socket, control group or temporary folder is left behind',
  died: 'the assistant does not end by itself, and ends when it is asked to',
} as const;

export type Invariant = keyof typeof INVARIANTS;

export interface Violation {
  invariant: Invariant;
  detail: string;
}
