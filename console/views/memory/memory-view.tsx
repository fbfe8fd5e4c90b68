import { useState } from 'preact/hooks';
import { Badge, Button, Empty, Loaded, ViewHead } from '../../components/basics.tsx';
import { Field, Segments } from '../../components/field.tsx';
import { Icon } from '../../components/icon.tsx';
import { api } from '../../lib/api.ts';
import { bytes, count } from '../../lib/format.ts';
import { t } from '../../lib/i18n.ts';
import { usePolled } from '../../lib/polled.ts';
import { goTo } from '../../lib/route.ts';
import { createKeptStore, useStore } from '../../lib/store.ts';
import type { MemoryReport } from '../../lib/types.ts';
import { AddDialog } from './fact-dialogs.tsx';
import { FactTable } from './fact-table.tsx';
import { recall } from './facts.ts';
import { GraphView } from './graph-view.tsx';
import { Transfer } from './transfer.tsx';

const PAGE = 100;
const POLL_MS = 10_000;
/** How long a search waits for the next letter, in milliseconds. */
const TYPING_MS = 200;

type Shape = 'table' | 'graph';
const isShape = (value: unknown): value is Shape => value === 'table' || value === 'graph';
const shape = createKeptStore<Shape>('phoenix.memory', localStorage, 'table', isShape);

/** What the assistant knows. What comes after the name of the view is an entity that the graph begins at. */
export function MemoryView({ rest }: { rest: string }) {
  const chosen = useStore(shape);
  const shown = rest === '' ? chosen : 'graph';
  const [text, setText] = useState('');
  const [limit, setLimit] = useState(PAGE);
  const [isAdding, setAdding] = useState(false);
  const stats = usePolled((signal) => api<MemoryReport>('GET', '/api/memory/stats', { signal }), POLL_MS);
  const facts = usePolled(
    async (signal) => {
      if (text !== '') await new Promise((resolve) => setTimeout(resolve, TYPING_MS));
      signal.throwIfAborted();
      return await recall(text.trim() === '' ? { limit } : { text: text.trim(), limit }, signal);
    },
    POLL_MS,
    [text, limit],
  );
  const reload = () => void Promise.all([facts.reload(), stats.reload()]);
  const choose = (next: Shape) => {
    shape.set(next);
    if (rest !== '') goTo('memory');
  };
  return (
    <>
      <ViewHead title={t('nav.memory')} about={t('memory.about')}>
        <Transfer onImported={reload} />
        <Button kind="primary" icon="plus" onClick={() => setAdding(true)}>
          {t('memory.add')}
        </Button>
      </ViewHead>
      <div class="toolbar">
        <div class="search">
          <Icon name="search" />
          <Field
            label={t('memory.search')}
            hideLabel
            type="search"
            placeholder={t('memory.search')}
            value={text}
            onInput={(value) => {
              setText(value);
              setLimit(PAGE);
            }}
          />
        </div>
        <Segments
          label={t('memory.shape')}
          value={shown}
          onChange={choose}
          options={[
            {
              value: 'table',
              label: (
                <>
                  <Icon name="table" />
                  {t('memory.table')}
                </>
              ),
            },
            {
              value: 'graph',
              label: (
                <>
                  <Icon name="graph" />
                  {t('memory.graph')}
                </>
              ),
            },
          ]}
        />
        {stats.data && <Stats report={stats.data} />}
      </div>
      <Loaded data={facts.data} error={facts.error}>
        {({ triples }) => {
          if (shown === 'graph' && (triples.length > 0 || rest !== ''))
            return <GraphView triples={triples} start={rest} />;
          if (triples.length > 0) {
            return (
              <>
                <FactTable triples={triples} onChanged={reload} />
                {triples.length >= limit && <Button onClick={() => setLimit(limit + PAGE)}>{t('memory.more')}</Button>}
              </>
            );
          }
          return text === '' ? (
            <Empty icon="memory" title={t('memory.empty')}>
              <p>{t('memory.empty.about')}</p>
              <p>
                <q>{t('chat.example.1')}</q>
              </p>
            </Empty>
          ) : (
            <Empty icon="search" title={t('memory.nothing', { text })} />
          );
        }}
      </Loaded>
      {isAdding && (
        <AddDialog
          onClose={(isDone) => {
            setAdding(false);
            if (isDone) reload();
          }}
        />
      )}
    </>
  );
}

/** How much is known, and whether the sql skill knows it, too. */
function Stats({ report }: { report: MemoryReport }) {
  const { facts, history, bytes: size, backend, synchronized, pending, error } = report;
  return (
    <p class="muted stats">
      {t('facts', { n: facts, count: count(facts) })} · {t('memory.past', { n: history })} · {bytes(size)}{' '}
      {backend === 'skill' && (
        <Badge tone={synchronized ? 'good' : error ? 'warn' : 'none'}>
          {synchronized ? t('memory.synchronized') : t('memory.pending', { n: pending })}
        </Badge>
      )}
    </p>
  );
}
