/** The assistant: one request, from prompt to answer, and everything else that can be asked of a running Phoenix. */
export type {
  ChatAnswer,
  ChatMessage,
  ChatOptions,
  Operations,
  ReplyPiece,
  SkillCall,
  SkillCallAnswer,
} from './operations.ts';
export { builtInSkills, Phoenix, skillFolders } from './phoenix.ts';
