import { ago, count, moment, percent } from '../../lib/format.ts';
import { t } from '../../lib/i18n.ts';
import { address } from '../../lib/route.ts';
import type { Triple } from '../../lib/types.ts';
import { FactActions } from './fact-list.tsx';
import { spoken } from './facts.ts';

/** Facts as rows. */
export function FactTable({ triples, onChanged }: { triples: readonly Triple[]; onChanged: () => void }) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={t('nav.memory')}>
      <table class="facts">
        <thead>
          <tr>
            <th scope="col">{t('memory.subject')}</th>
            <th scope="col">{t('memory.verb')}</th>
            <th scope="col">{t('memory.object')}</th>
            <th scope="col">{t('memory.confidence')}</th>
            <th scope="col">{t('memory.seen')}</th>
            <th scope="col">{t('memory.source')}</th>
            <th scope="col">
              <span class="visually-hidden">{t('memory.actions')}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {triples.map((triple) => (
            <Row
              triple={triple}
              onChanged={onChanged}
              key={JSON.stringify([triple.subject, triple.verb, triple.object])}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ triple, onChanged }: { triple: Triple; onChanged: () => void }) {
  const { subject, verb, object, confidence, lastSeen, count: times, source } = triple;
  return (
    <tr>
      <td>
        <a href={address('memory', subject)}>{subject}</a>
      </td>
      <td>{spoken(verb)}</td>
      <td>
        <a href={address('memory', object)}>{object}</a>
      </td>
      <td class="number">{percent(confidence)}</td>
      <td title={moment(lastSeen)}>
        {ago(lastSeen)}
        {times > 1 && <span class="muted"> × {count(times)}</span>}
      </td>
      <td class="muted">{t(`source.${source}`)}</td>
      <td>
        <FactActions fact={triple} onCorrected={onChanged} onForgotten={onChanged} />
      </td>
    </tr>
  );
}
