/** Takes traces as a collector does: OTLP over HTTP, as JSON. https://opentelemetry.io/docs/specs/otlp/#otlphttp */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { until } from './scoped-pool.ts';

type AnyValue = {
  stringValue?: string;
  intValue?: number | string;
  doubleValue?: number;
  boolValue?: boolean;
  arrayValue?: { values: AnyValue[] };
};
type KeyValues = { key: string; value: AnyValue }[];

interface ExportRequest {
  resourceSpans: {
    resource: { attributes: KeyValues };
    scopeSpans: {
      spans: {
        traceId: string;
        spanId: string;
        parentSpanId?: string;
        name: string;
        kind: number;
        startTimeUnixNano: string;
        endTimeUnixNano: string;
        attributes: KeyValues;
        status?: { code?: number };
      }[];
    }[];
  }[];
}

type Attribute = string | number | boolean | undefined | Attribute[];

export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  name: string;
  kind: 'internal' | 'server' | 'client' | 'other';
  /** `service.name` of its resource. */
  service: Attribute;
  resource: Record<string, Attribute>;
  attributes: Record<string, Attribute>;
  isError: boolean;
  /** Milliseconds since the epoch. */
  start: number;
  end: number;
}

export interface OtlpReceiver extends AsyncDisposable {
  url: string;
  readonly spans: ReceivedSpan[];
  /** Everything that came, as it came. */
  readonly received: string;
  /** Waits until there is a span. */
  untilSpan(what: string, isWanted: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan>;
}

/** `SPAN_KIND_*` of the protocol. */
const KINDS: Record<number, ReceivedSpan['kind']> = { 1: 'internal', 2: 'server', 3: 'client' };
const STATUS_ERROR = 2;

/** Starts a receiver on a free port of 127.0.0.1. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  let received = '';
  const server = createServer(async (request, response) => {
    if (request.method !== 'POST' || request.url !== '/v1/traces') {
      response.writeHead(404).end();
      return;
    }
    const body = await text(request);
    received += body;
    spans.push(...read(JSON.parse(body) as ExportRequest));
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    get received() {
      return received;
    },
    async untilSpan(what, isWanted) {
      await until(what, () => spans.some(isWanted));
      const found = spans.find(isWanted);
      if (!found) throw new Error(`${what} is gone`);
      return found;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function read({ resourceSpans }: ExportRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const described = attributesOf(resource.attributes);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId || undefined,
        name: span.name,
        kind: KINDS[span.kind] ?? 'other',
        service: described['service.name'],
        resource: described,
        attributes: attributesOf(span.attributes),
        isError: span.status?.code === STATUS_ERROR,
        start: Number(span.startTimeUnixNano) / 1e6,
        end: Number(span.endTimeUnixNano) / 1e6,
      })),
    );
  });
}

function attributesOf(pairs: KeyValues): Record<string, Attribute> {
  return Object.fromEntries(pairs.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue({ stringValue, intValue, doubleValue, boolValue, arrayValue }: AnyValue): Attribute {
  if (arrayValue) return arrayValue.values.map(plainValue);
  return stringValue ?? doubleValue ?? boolValue ?? (intValue === undefined ? undefined : Number(intValue));
}
