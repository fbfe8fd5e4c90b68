/** Everything that takes bytes from outside. */
import type { TargetDefinition } from '../target.ts';
import { config } from './config.ts';
import { diff } from './diff.ts';
import { http } from './http.ts';
import { manifest } from './manifest.ts';
import { sessionInPool } from './session-pool.ts';
import { sessionInSkill } from './session-skill.ts';
import { socket } from './socket.ts';
import { sql } from './sql.ts';

export const targets: readonly TargetDefinition[] = [
  manifest,
  config,
  diff,
  sql,
  sessionInSkill,
  sessionInPool,
  socket,
  http,
];
