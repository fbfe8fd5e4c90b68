import type { MethodDefinition } from '@grpc/grpc-js';
import { SkillServiceService } from '../contract/index.ts';

/**
 * A message of a stream that cannot be read. grpc-js by itself would end the stream behind the back of who serves it; what that still
 * writes then breaks the end of the stream, and the client waits for it in vain. So such a message is handed over, and refused in its turn.
 */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
}

/** SkillService, whose streams hand over what cannot be read. */
export const skillService = {
  ...SkillServiceService,
  session: tolerant(SkillServiceService.session),
  draft: tolerant(SkillServiceService.draft),
};

function tolerant<Request, Definition extends Pick<MethodDefinition<Request, unknown>, 'requestDeserialize'>>(
  definition: Definition,
): Definition {
  const requestDeserialize = (bytes: Buffer) => {
    try {
      return definition.requestDeserialize(bytes);
    } catch (error) {
      return new Unreadable(`a message of the stream cannot be read: ${(error as Error).message}`);
    }
  };
  return { ...definition, requestDeserialize };
}
