import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { sayFacts } from './answerer.ts';
import { RuleAnswerer, RuleUnderstander, type Understanding } from './index.ts';

const understander = new RuleUnderstander();
const table = readFileSync(join(import.meta.dirname, 'sentences.txt'), 'utf8')
  .trimEnd()
  .split('\n');

/** An understanding in one line: facts as subject|verb|object, `-` for what is not understood. */
function notation(understood: Understanding): string {
  const part = (text: string | undefined) => text ?? '?';
  const pattern = (p: { subject?: string; verb?: string; object?: string }) =>
    [p.subject, p.verb, p.object].map(part).join('|');
  switch (understood.kind) {
    case 'statement':
      return [
        ...understood.facts.map((fact) => pattern(fact) + (fact.confidence === undefined ? '' : `|${fact.confidence}`)),
        ...understood.retract.map((retracted) => `not ${pattern(retracted)}`),
        ...understood.ignored.map((sentence) => `ignored: ${sentence}`),
      ].join(' ; ');
    case 'question':
      return `${understood.asked}: ${understood.patterns.map(pattern).join(' or ')}`;
    case 'forget':
      return `forget ${understood.patterns.map(pattern).join(' ; ')}`;
    case 'smalltalk':
      return understood.topic;
    case 'unknown':
      return '-';
  }
}

describe('RuleUnderstander', () => {
  it('reads the sentences of the table', () => {
    assert.ok(table.length >= 150);
    const wrong = table.filter((line) => {
      const [sentence = '', expected] = line.split('  =>  ');
      return notation(understander.understand(sentence)) !== expected;
    });
    assert.deepEqual(
      wrong.map((line) => `${line}  BUT  ${notation(understander.understand(line.split('  =>  ')[0] ?? ''))}`),
      [],
    );
  });

  it('never throws, whatever it is given', () => {
    const words = table.flatMap((line) => (line.split('  =>  ')[0] ?? '').split(' '));
    const jumble = fc.array(fc.constantFrom(...words), { maxLength: 25 }).map((some) => some.join(' '));
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), jumble), (text) => {
        const understood = understander.understand(text);
        if (understood.kind === 'statement') assert.ok(understood.facts.length + understood.retract.length > 0, text);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses what is too long instead of reading it for ever', () => {
    const many = [
      `Vivo ${'y vivo '.repeat(300_000)}`,
      'a '.repeat(500_000),
      'Vivo en Madrid y '.repeat(100),
      '.'.repeat(1_000_000),
      'Hola. '.repeat(10_000),
    ];
    for (const text of many)
      assert.ok(['unknown', 'statement', 'smalltalk'].includes(understander.understand(text).kind));
  });
});

describe('RuleAnswerer', () => {
  const say = (subject: string, verb: string, object: string, language: 'es' | 'en') =>
    sayFacts([{ subject, verb, object }], language);
  const sentences: [string, string][] = [
    [say('hermana', 'vive_en', 'Madrid', 'es'), 'tu hermana vive en Madrid.'],
    [say('hermana', 'vive_en', 'Madrid', 'en'), 'your sister lives in Madrid.'],
    [say('usuario', 'vive_en', 'Madrid', 'es'), 'vives en Madrid.'],
    [say('usuario', 'vive_en', 'Madrid', 'en'), 'you live in Madrid.'],
    [say('padres', 'vive_en', 'Sevilla', 'es'), 'tus padres viven en Sevilla.'],
    [say('padres', 'vive_en', 'Sevilla', 'en'), 'your parents live in Sevilla.'],
    [say('hermana de Luis', 'tiene', 'gato', 'es'), 'la hermana de Luis tiene gato.'],
    [say('hermana de Luis', 'tiene', 'cat', 'en'), "Luis's sister has a cat."],
    [say('usuario', 'tiene_edad', '30', 'es'), 'tienes 30 años.'],
    [say('Ana', 'tiene_edad', '30', 'en'), 'Ana is 30 years old.'],
    [say('usuario', 'su_color_favorito_es', 'azul', 'es'), 'tu color favorito es azul.'],
    [say('Ana', 'su_color_favorito_es', 'blue', 'en'), "Ana's favorite color is blue."],
    [say('Ana', 'le_gusta', 'té', 'es'), 'a Ana le gusta: té.'],
    [say('Ana', 'is fond of', 'tea', 'en'), 'Ana is fond of tea.'],
  ];
  for (const [said, expected] of sentences) it(expected, () => assert.equal(said, expected));

  it('says that it knows nothing, and tells yes from no', () => {
    const answerer = new RuleAnswerer();
    const question = understander.understand('¿Vive Ana en Madrid?');
    const at = {
      confidence: 1,
      source: 'user_input',
      firstSeen: 0,
      lastSeen: 0,
      count: 1,
      validFrom: 0,
      validTo: null,
    } as const;
    const answer = (object?: string) =>
      answerer.answer('', question, {
        recalled: object === undefined ? [] : [{ subject: 'Ana', verb: 'vive_en', object, ...at }],
        forgotten: 0,
        retracted: 0,
      });
    assert.equal(answer(), 'No lo sé: no me has contado nada de eso.');
    assert.equal(answer('Madrid'), 'Sí: Ana vive en Madrid.');
    assert.equal(answer('Roma'), 'No, que yo sepa: Ana vive en Roma.');
  });
});
