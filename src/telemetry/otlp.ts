import { setTimeout as sleep } from 'node:timers/promises';
import type { Context, Span as OtelSpan } from '@opentelemetry/api';
import type { Sampler, SpanExporter } from '@opentelemetry/sdk-trace';
import { type Span, type SpanOptions, setTracer, type Tracer, wallClock } from '../tracing/index.ts';
import { VERSION } from '../version.ts';
import type { Logger } from './log.ts';

const SERVICE = 'phoenix';
/** https://opentelemetry.io/docs/specs/otel/protocol/exporter/ */
const ENDPOINT_VARIABLES = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'] as const;
const TIMEOUT_VARIABLES = ['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'];
const PATH = '/v1/traces';
/** How long one export is tried, in milliseconds: no longer than somebody who stops the assistant likes to wait. */
const TIMEOUT_MS = 3000;
/** How long the end of the assistant waits for the last traces to be taken, in milliseconds. */
const CLOSE_MS = 2000;

/** Traces that are exported. */
export interface Tracing {
  /** Exports what is left and ends. */
  close(): Promise<void>;
}

/**
 * Exports traces by OTLP over HTTP, as JSON, where an endpoint is configured. The code for that is loaded only then.
 *
 * @param endpoint base URL of a collector; without it the standard OTEL_* variables decide
 * @returns undefined when nothing is exported
 */
export async function openTracing(
  endpoint: string | undefined,
  log: Logger,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Tracing | undefined> {
  const isOn = endpoint !== undefined || ENDPOINT_VARIABLES.some((name) => environment[name]);
  const isOff = environment.OTEL_SDK_DISABLED?.toLowerCase() === 'true' || environment.OTEL_TRACES_EXPORTER === 'none';
  if (!isOn || isOff) return undefined;
  const protocol = environment.OTEL_EXPORTER_OTLP_TRACES_PROTOCOL ?? environment.OTEL_EXPORTER_OTLP_PROTOCOL;
  if (protocol !== undefined && protocol !== 'http/json') {
    log.warn(`traces are exported by the protocol http/json; "${protocol}" is not supported`);
  }
  const [api, sdk, resources, { OTLPTraceExporter }] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/exporter-trace-otlp-http'),
  ]);
  const exporter = new OTLPTraceExporter({
    ...(endpoint !== undefined && { url: tracesUrl(endpoint) }),
    ...(TIMEOUT_VARIABLES.every((name) => !environment[name]) && { timeoutMillis: TIMEOUT_MS }),
  });
  const processor = new sdk.BatchSpanProcessor({
    exporter: telling(exporter, log),
    ...numbersOf(environment, {
      scheduledDelayMillis: 'OTEL_BSP_SCHEDULE_DELAY',
      exportTimeoutMillis: 'OTEL_BSP_EXPORT_TIMEOUT',
      maxQueueSize: 'OTEL_BSP_MAX_QUEUE_SIZE',
      maxExportBatchSize: 'OTEL_BSP_MAX_EXPORT_BATCH_SIZE',
    }),
  });
  const sampler = samplerOf(sdk, environment, log);
  const described = resources.detectResources({ detectors: [resources.envDetector] });
  const tracerOf = (service: string) => {
    const named = resources.resourceFromAttributes({ 'service.name': service, 'service.version': VERSION });
    // The assistant may be given another name; the skills keep theirs.
    const resource = service === SERVICE ? named.merge(described) : described.merge(named);
    return new sdk.TracerProvider({ resource, sampler, spanProcessors: [processor] }).getTracer(SERVICE, VERSION);
  };
  const tracers = new Map<string, ReturnType<typeof tracerOf>>();
  const otelSpans = new WeakMap<Span, OtelSpan>();
  const contextOf = (parent: Span | string | undefined): Context => {
    const { ROOT_CONTEXT, trace } = api;
    if (parent === undefined) return ROOT_CONTEXT;
    if (typeof parent === 'string') {
      const remote = parseTraceparent(parent);
      return remote ? trace.setSpanContext(ROOT_CONTEXT, { ...remote, isRemote: true }) : ROOT_CONTEXT;
    }
    const span = otelSpans.get(parent);
    return span ? trace.setSpan(ROOT_CONTEXT, span) : ROOT_CONTEXT;
  };
  const tracer: Tracer = {
    start(name, { kind = 'internal', attributes, service = SERVICE, startedAt, endedAt }: SpanOptions, parent) {
      let own = tracers.get(service);
      if (!own) {
        own = tracerOf(service);
        tracers.set(service, own);
      }
      const spanKind = api.SpanKind[kind.toUpperCase() as 'INTERNAL' | 'CLIENT' | 'SERVER'];
      const options = { kind: spanKind, ...(attributes && { attributes }), startTime: startedAt ?? wallClock() };
      const otelSpan = own.startSpan(name, options, contextOf(parent));
      const span = wrap(otelSpan, api.SpanStatusCode.ERROR);
      otelSpans.set(span, otelSpan);
      if (endedAt !== undefined) otelSpan.end(endedAt);
      return span;
    },
  };
  setTracer(tracer);
  log.info({ endpoint: endpoint ?? 'of the OTEL_* variables' }, 'traces are exported by OTLP');
  return {
    async close() {
      setTracer(undefined);
      await Promise.race([processor.shutdown(), sleep(CLOSE_MS, undefined, { ref: false })]);
    },
  };
}

function wrap(span: OtelSpan, errorCode: number): Span {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return {
    traceId,
    spanId,
    isSampled: (traceFlags & 1) === 1,
    set: (attributes) => void span.setAttributes(attributes),
    end: (error) => {
      if (!span.isRecording()) return;
      if (error !== undefined) {
        span.setAttributes({ 'error.type': kindOf(error) });
        span.setStatus({ code: errorCode });
      }
      span.end(wallClock());
    },
  };
}

/** A name from a small set: the code of an error, or its class. https://opentelemetry.io/docs/specs/semconv/registry/attributes/error/ */
function kindOf(error: unknown): string {
  const { code, name } = error as { code?: unknown; name?: unknown };
  return typeof code === 'string' ? code : typeof name === 'string' ? name : '_OTHER';
}

/** https://www.w3.org/TR/trace-context/#traceparent-header */
function parseTraceparent(text: string): { traceId: string; spanId: string; traceFlags: number } | undefined {
  const [, traceId, spanId, flags] =
    /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/.exec(text) ?? [];
  if (!traceId || !spanId || !flags) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1 };
}

function tracesUrl(endpoint: string): string {
  const url = new URL(endpoint);
  if (!url.pathname.endsWith(PATH)) url.pathname = url.pathname.replace(/\/$/, '') + PATH;
  return url.href;
}

/** An exporter that says once when it begins to fail, and when it works again. */
function telling(exporter: SpanExporter, log: Logger): SpanExporter {
  let isFailing = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const fails = result.error !== undefined || result.code !== 0;
        if (fails && !isFailing) log.warn(`traces cannot be exported: ${result.error?.message ?? 'unknown reason'}`);
        if (!fails && isFailing) log.info('traces are exported again');
        isFailing = fails;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}

/** https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration */
function samplerOf(
  {
    AlwaysOnSampler,
    AlwaysOffSampler,
    ParentBasedSampler,
    TraceIdRatioBasedSampler,
  }: typeof import('@opentelemetry/sdk-trace'),
  { OTEL_TRACES_SAMPLER: name = 'parentbased_always_on', OTEL_TRACES_SAMPLER_ARG: argument = '1' }: NodeJS.ProcessEnv,
  log: Logger,
): Sampler {
  const roots: Record<string, () => Sampler> = {
    always_on: () => new AlwaysOnSampler(),
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(Number(argument)),
  };
  const root = roots[name.replace('parentbased_', '')];
  if (!root) log.warn(`OTEL_TRACES_SAMPLER: there is no sampler "${name}"; every trace is kept`);
  const sampler = root?.() ?? new AlwaysOnSampler();
  return name.startsWith('parentbased_') ? new ParentBasedSampler({ root: sampler }) : sampler;
}

/** Those of the variables that are numbers. */
function numbersOf<Name extends string>(
  environment: NodeJS.ProcessEnv,
  variables: Record<Name, string>,
): Partial<Record<Name, number>> {
  const numbers: Partial<Record<Name, number>> = {};
  for (const name of Object.keys(variables) as Name[]) {
    const value = Number(environment[variables[name]] || Number.NaN);
    if (value > 0) numbers[name] = value;
  }
  return numbers;
}
