import { defineSkill } from 'phoenix/skill';
import { readDraftConfig } from './config.ts';
import { SkillModel } from './model.ts';
import { type Piece, write } from './write.ts';

export default defineSkill(async ({ models, config, log }) => {
  if (models.draft === undefined) throw new Error('the draft skill needs the model "draft"');
  const settings = readDraftConfig(config);
  // The skill serves when this has loaded, and not before.
  const model = await SkillModel.open(models.draft, settings);
  log('info', 'the model is loaded', { model: model.name, contextSize: model.target.contextSize });
  return {
    async infer(request, call) {
      let text = '';
      let last: Piece | undefined;
      for await (const piece of write(model, request, call)) {
        text += piece.text;
        last = piece;
      }
      return { ...last, text };
    },
    inferStream: (request, call) => write(model, request, call),
    drafter: model.drafter,
    close: () => model[Symbol.asyncDispose](),
  };
});
