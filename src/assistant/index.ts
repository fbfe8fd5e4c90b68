/** The assistant: one request, from prompt to answer, and everything else that can be asked of a running Phoenix. */
export { measured } from './measured.ts';
export type {
  ChatAnswer,
  ChatMessage,
  ChatOptions,
  Operations,
  ReplyPiece,
  SkillCall,
  SkillCallAnswer,
  Work,
} from './operations.ts';
export { builtInSkills, Phoenix, skillFolders } from './phoenix.ts';
