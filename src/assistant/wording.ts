import type { Language } from '../language/index.ts';
import type { SkillAnswer } from './skill-calls.ts';

/** What skills answered, and which did not. */
export function sayAnswers(answers: readonly SkillAnswer[], language: Language): string {
  const said = answers.filter(hasText).map(({ text }) => text.trim());
  const missing = answers.flatMap((each) => (each.missing ? [`(${each.skill}: ${each.missing[language]}.)`] : []));
  const failed = answers.filter(({ status }) => status === 'failed').map((each) => sayFailure(each, language));
  return [...said, ...missing, ...failed].join('\n\n');
}

export function hasText({ status, text }: SkillAnswer): boolean {
  return status === 'answered' && text.trim() !== '';
}

function sayFailure({ skill, error = '' }: SkillAnswer, language: Language): string {
  const reason = error.replace(`skill ${skill}: `, '');
  return language === 'es'
    ? `(La skill ${skill} no ha respondido: ${reason}.)`
    : `(Skill ${skill} did not answer: ${reason}.)`;
}

/** What is told instead of a text that no model here can write. */
export function sayNoWriter(language: Language): string {
  return language === 'es'
    ? 'Para escribir textos necesito un modelo que sepa conversar: ponlo en models.target de phoenix.yaml.'
    : 'To write texts I need a model that can talk: name one as models.target in phoenix.yaml.';
}
