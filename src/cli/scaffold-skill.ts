import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { LoadedConfig } from '../config/index.ts';
import { CliError } from './errors.ts';

/** Writes the files of a new skill. @returns what to do next @throws CliError */
export function scaffoldSkill(name: string, dir: string, config: LoadedConfig): string {
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(name)) {
    throw new CliError(
      `"${name}" is no name for a skill: 1 to 32 lower-case letters, digits and hyphens, the first one a letter`,
    );
  }
  const folder = resolve(dir, name);
  if (existsSync(folder)) throw new CliError(`${folder} is there already`);
  mkdirSync(folder, { recursive: true });
  for (const [file, content] of Object.entries(filesOf(name))) writeFileSync(join(folder, file), content);
  const known = config.skill_dirs.includes(resolve(dir));
  return [
    `made ${relative(process.cwd(), folder)}: skill.yaml, handler.ts, handler.test.ts`,
    'next:',
    `  node --test ${relative(process.cwd(), folder)}/handler.test.ts`,
    ...(known || dir === 'skills' ? [] : [`  add to phoenix.yaml:  skill_dirs: [${dir}]`]),
    `  npx phoenix skill call ${name} "hello"`,
    '',
  ].join('\n');
}

function filesOf(name: string): Record<string, string> {
  return {
    'skill.yaml': `name: ${name}
version: 0.1.0
description: Answers with the prompt in upper case.
entry: handler.ts
resources: { memory: 128MiB, cpus: 1, pids: 32, tmp: 16MiB }
timeouts: { request: 10s }
limits: { concurrency: 16, queue: 64, request_bytes: 1MiB }
idempotent: true
examples:
  - { text: "shout: good morning", language: en }
  - { text: "grita: buenos días", language: es }
`,
    'handler.ts': `import { defineSkill, SkillError } from 'phoenix/skill';

export default defineSkill(() => ({
  infer({ prompt }) {
    if (prompt === '') throw new SkillError('INVALID_ARGUMENT', 'the prompt is empty');
    return prompt.toUpperCase();
  },
}));
`,
    'handler.test.ts': `import assert from 'node:assert/strict';
import { it } from 'node:test';
import { testSkill } from 'phoenix/testing';

// The real thing: launched, isolated, called over gRPC.
it('answers', async () => {
  await using skill = await testSkill(import.meta.dirname);
  assert.equal((await skill.infer({ prompt: 'hello' })).text, 'HELLO');
});

it('refuses an empty prompt', async () => {
  await using skill = await testSkill(import.meta.dirname);
  await assert.rejects(skill.infer({ prompt: '' }), { code: 'INVALID_ARGUMENT' });
});
`,
  };
}
