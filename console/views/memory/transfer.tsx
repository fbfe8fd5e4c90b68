import { useRef } from 'preact/hooks';
import { Button } from '../../components/basics.tsx';
import { attempt, say } from '../../components/toast.tsx';
import { request } from '../../lib/api.ts';
import { t } from '../../lib/i18n.ts';

const NDJSON = 'application/x-ndjson';

/** Export into a file, and import from one. */
export function Transfer({ onImported }: { onImported: () => void }) {
  const chooser = useRef<HTMLInputElement>(null);
  const save = () =>
    attempt(async () => {
      const content = await (await request('GET', '/api/memory/export')).blob();
      const link = document.createElement('a');
      link.href = URL.createObjectURL(content);
      link.download = `phoenix-memory-${new Date().toISOString().slice(0, 10)}.jsonl`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    });
  const load = (file: File | undefined) =>
    attempt(async () => {
      if (!file) return;
      const response = await request('POST', '/api/memory/import', { raw: { content: file, type: NDJSON } });
      const { imported } = (await response.json()) as { imported: number };
      say(t('memory.imported', { n: imported }));
      onImported();
    });
  return (
    <>
      <input
        ref={chooser}
        type="file"
        accept=".jsonl,.ndjson,.json"
        class="visually-hidden"
        tabIndex={-1}
        aria-label={t('memory.import')}
        onChange={(event) => {
          void load(event.currentTarget.files?.[0]);
          event.currentTarget.value = '';
        }}
      />
      <Button icon="upload" onClick={() => chooser.current?.click()}>
        {t('memory.import')}
      </Button>
      <Button icon="download" onClick={save}>
        {t('memory.export')}
      </Button>
    </>
  );
}
