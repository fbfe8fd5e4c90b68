import type { SkillClient } from '../../src/pool/index.ts';

const TIMEOUT_MS = 8000;

/** Runs code inside an echo skill; `require` is there, and what it returns comes back as JSON. */
export async function inside<T>(skill: SkillClient, code: string): Promise<T> {
  const { text } = await skill.infer({ prompt: `eval:${code}` }, { timeoutMs: TIMEOUT_MS });
  return text === 'undefined' ? (undefined as T) : (JSON.parse(text) as T);
}

export const IT_WORKED = 'it worked';

/** Tries something inside an echo skill. @returns IT_WORKED, or the code of the error */
export function attempt(skill: SkillClient, code: string): Promise<string> {
  return inside(skill, `try { ${code}; return '${IT_WORKED}' } catch (error) { return error.code ?? error.message }`);
}

/** Code that puts an executable into the skill's /tmp. */
export function placing(path: string, executable: Buffer): string {
  return `require('fs').writeFileSync('${path}', Buffer.from('${executable.toString('base64')}', 'base64'), { mode: 0o755 });`;
}

/** Begins a call that runs until it is let go; it then answers "held". */
export function hold(skill: SkillClient): { answer: Promise<string>; letGo: () => Promise<void> } {
  const answer = inside<string>(skill, "await new Promise((resolve) => { globalThis.letGo = resolve }); return 'held'");
  answer.catch(() => {});
  return { answer, letGo: () => inside(skill, 'globalThis.letGo()') };
}
