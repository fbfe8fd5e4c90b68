import { type DurableFormat, jsonFormat, jsonLinesFormat } from '../state-format/index.ts';

/** What a coordinator keeps in its folder. */
export const COORDINATOR_FORMATS: readonly DurableFormat[] = [
  jsonFormat('members.json'),
  jsonFormat('round.json'),
  jsonFormat('ledger.head.json'),
  jsonLinesFormat('ledger.jsonl', 1),
];

/** What a client keeps in its folder. */
export const CLIENT_FORMATS: readonly DurableFormat[] = [
  jsonFormat('enrolment.json'),
  jsonFormat('state.json'),
  jsonLinesFormat('sent.jsonl', 1),
];
