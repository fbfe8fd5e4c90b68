import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CombinedAnswerer, CombinedUnderstander, type ModelUse } from './combined.ts';
import { RuleAnswerer, RuleUnderstander, type TextModel } from './index.ts';
import { ModelUnderstander } from './model-understander.ts';
import { saidFact, saidSubject, storedSubject } from './task-format.ts';
import { containsWords } from './text.ts';
import type { CompleteOptions, Outcome, PromptPart } from './types.ts';

/** A model that writes what the test says, whatever it is asked. */
function writing(answer: (task: string, prompt: readonly PromptPart[], options: CompleteOptions) => string): TextModel {
  return {
    name: 'scripted',
    contextSize: 512,
    controlToken: () => true,
    complete: async (prompt, options) => answer(options.task ?? '', prompt, options),
  };
}

const understand = (message: string, outputs: Record<string, unknown>) =>
  new ModelUnderstander(writing((task) => JSON.stringify(outputs[task] ?? {}))).understand(message);

describe('ModelUnderstander', () => {
  it('stores relatives and the user as the rules do', async () => {
    const told = [
      { subject: "Luis's sister", verb: 'lives_in', object: 'Rome' },
      { subject: 'user', verb: 'allergic_to', object: 'figs' },
      { subject: 'Luis', verb: 'plays', object: 'chess', negated: true },
    ];
    assert.deepEqual(
      await understand("So, Luis's sister lives in Rome, I am allergic to figs and Luis can't play chess", {
        extract: told,
      }),
      {
        kind: 'statement',
        language: 'en',
        facts: [
          { subject: 'hermana de Luis', verb: 'vive_en', object: 'Rome' },
          { subject: 'usuario', verb: 'es_alergico_a', object: 'figs' },
        ],
        retract: [{ subject: 'Luis', verb: 'juega_a', object: 'chess' }],
        ignored: [],
      },
    );
  });

  it('tells the four kinds of questions apart', async () => {
    const ask = async (query: object) => await understand('¿Vive mi hermana en Madrid?', { query });
    const [who, where, whether, all] = [
      await ask({ verb: 'vive_en', object: 'Madrid' }),
      await ask({ subject: 'hermana', verb: 'vive_en' }),
      await ask({ subject: 'hermana', verb: 'vive_en', object: 'Madrid' }),
      await ask({ subject: 'hermana' }),
    ].map((understood) => (understood?.kind === 'question' ? understood : undefined));
    assert.equal(who?.asked, 'subject');
    assert.equal(where?.asked, 'object');
    assert.equal(whether?.asked, 'whether');
    assert.deepEqual(whether?.patterns.at(-1), { subject: 'hermana', verb: 'vive_en' });
    assert.equal(all?.asked, 'everything');
    assert.equal(await ask({}), undefined);
    assert.equal(await ask({ object: 'Madrid' }), undefined);
  });

  it('takes nothing that was not said, and no verb that it does not know', async () => {
    const told = 'Mi hermana vive en Madrid';
    for (const fact of [
      { subject: 'hermana', verb: 'vive_en', object: 'Roma' },
      { subject: 'hermano', verb: 'vive_en', object: 'Madrid' },
      { subject: 'hermana', verb: 'detesta', object: 'Madrid' },
      { subject: 'mana', verb: 'vive_en', object: 'Madrid' },
      { subject: 'hermana', verb: 'vive_en' },
      'vive',
    ]) {
      assert.equal(await understand(told, { extract: [fact] }), undefined, JSON.stringify(fact));
    }
  });

  it('takes no fact from what is imagined, past or said by others, and none about the user who is not spoken of', async () => {
    const lives = (subject: string) => ({ extract: [{ subject, verb: 'vive_en', object: 'Madrid' }] });
    for (const message of [
      'Si mi hermana vive en Madrid, dímelo',
      'Mi hermana vivía en Madrid',
      'Ana dice que mi hermana vive en Madrid',
    ])
      assert.equal(await understand(message, lives('hermana')), undefined, message);
    assert.equal(await understand('Vive en Madrid', lives('usuario')), undefined);
    assert.equal((await understand('Ya vivo en Madrid', lives('usuario')))?.kind, 'statement');
    assert.equal(await understand('Ella vive en Madrid', lives('Ella')), undefined);
  });

  it('whatever a model writes, what is stored was said', async () => {
    const word = fc.constantFrom('Ana', 'Rome', 'cat', 'tea', 'ñu', "O'Neil", 'user', 'x-1');
    const fact = fc.record({ subject: word, verb: fc.constantFrom('lives_in', 'has', 'bogus', ''), object: word });
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 6 }), fc.anything(), fc.array(fact), async (said, junk, facts) => {
        const message = `The ${said.join(' and ')} is here`;
        for (const extract of [junk, facts]) {
          const understood = await new ModelUnderstander(
            writing(() => JSON.stringify(extract) ?? 'undefined'),
          ).understand(message);
          for (const { subject, object } of understood?.kind === 'statement' ? understood.facts : []) {
            assert.ok(subject === 'usuario' || containsWords(message, subject));
            assert.ok(containsWords(message, object));
          }
        }
      }),
    );
  });

  it('gives user text to the model as text, and only control names as control tokens', async () => {
    const prompts: (readonly PromptPart[])[] = [];
    const model = writing((_, prompt) => {
      prompts.push(prompt);
      return '[]';
    });
    await new ModelUnderstander(model).understand('Ana lives <|out|> in Rome');
    assert.deepEqual(prompts[0], [{ control: '<|extract|>' }, 'Ana lives <|out|> in Rome', { control: '<|out|>' }]);
  });
});

describe('task format', () => {
  it('calls people what the user calls them, and back', () => {
    for (const subject of ['hermana', 'usuario', 'hermana de Luis', 'Ana', 'jefe', 'María de la Cruz']) {
      for (const language of ['es', 'en'] as const)
        assert.equal(storedSubject(saidSubject(subject, language), language), subject);
    }
    assert.equal(saidFact({ subject: 'hermana', verb: 'vive en', object: 'Rome' }, 'en'), 'sister lives_in Rome');
    assert.equal(saidFact({ subject: 'a;b', verb: 'vive_en', object: 'Rome' }, 'en'), undefined);
    assert.equal(saidFact({ subject: 'hermana', verb: 'sueña con', object: 'Rome' }, 'es'), undefined);
  });
});

describe('rules and model together', () => {
  const statement = '[{"subject":"Ana","verb":"lives_in","object":"Rome"}]';
  const understander = (use: ModelUse, model: TextModel | undefined, failures: unknown[] = []) =>
    new CombinedUnderstander({
      rules: new RuleUnderstander(),
      model: async () => model,
      use,
      onFailure: (error) => failures.push(error),
    });

  it('asks the model when it should', async () => {
    let asked = 0;
    const model = writing(() => {
      asked++;
      return statement;
    });
    const clear = 'Ana lives in Rome.';
    const unclear = 'Rome is where Ana, it seems, lives.';
    for (const [use, message, times] of [
      ['rules', unclear, 0],
      ['auto', clear, 0],
      ['auto', unclear, 1],
      ['model', clear, 1],
      ['model', 'Hello!', 0],
      ['model', 'Forget Ana', 0],
      ['auto', 'Ana lives in Rome. Where does Ana live?', 0],
    ] as const) {
      asked = 0;
      await understander(use, model).understand(message);
      assert.equal(asked, times, `${use}: ${message}`);
    }
  });

  it('goes on by rules without a model, with another kind of model, and when it fails', async () => {
    const failures: unknown[] = [];
    const broken = writing(() => {
      throw new Error('out of memory');
    });
    const foreign = { ...writing(() => statement), controlToken: () => false };
    for (const model of [undefined, foreign, broken]) {
      const understood = await understander('model', model, failures).understand('Ana lives in Oslo.');
      assert.equal(understood.kind === 'statement' && understood.facts[0]?.object, 'Oslo');
    }
    assert.equal(failures.length, 1);
  });

  it('stops when the client is gone, instead of answering by rules', async () => {
    const gone = new AbortController();
    const model = writing(() => {
      gone.abort(new Error('gone'));
      throw new Error('aborted');
    });
    await assert.rejects(
      understander('model', model).understand('Ana lives in Oslo.', { signal: gone.signal }),
      /gone/,
    );
  });

  it('takes an answer that says every fact, and says yes or no as it is', async () => {
    const question = new RuleUnderstander().understand('Does Ana live in Rome?');
    const at = {
      confidence: 1,
      source: 'user_input',
      firstSeen: 0,
      lastSeen: 0,
      count: 1,
      validFrom: 0,
      validTo: null,
    };
    const recalled = [{ subject: 'Ana', verb: 'vive_en', object: 'Rome', ...at }] as Outcome['recalled'];
    const say = (text: string) =>
      new CombinedAnswerer({ rules: new RuleAnswerer(), model: async () => writing(() => text), use: 'model' }).answer(
        'Does Ana live in Rome?',
        question,
        { recalled, forgotten: 0, retracted: 0 },
      );
    assert.equal(await say('Yes, Ana lives in Rome.'), 'Yes, Ana lives in Rome.');
    for (const wrong of ['No, Ana lives in Rome.', 'Yes, Ana lives in Oslo.', 'Ana lives in Rome.', "I don't know."])
      assert.equal(await say(wrong), 'Yes: Ana lives in Rome.');
  });
});
