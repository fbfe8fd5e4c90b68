import { z } from 'zod';
import { parseReference } from '../models/index.ts';
import { duration, size } from '../yaml/units.ts';

const skillSettings = z.strictObject({
  config: z.record(z.string(), z.unknown()).optional(),
  pinned: z.boolean().optional(),
  idle_ttl: duration.optional(),
  warm: z.int().min(0).max(64).optional(),
  /** Folders of this machine that the skill may read, by the names of its manifest. */
  mounts: z.record(z.string(), z.string().min(1)).optional(),
  /** The skill sees the programs of this machine, read-only. */
  toolchain: z.boolean().optional(),
});

/** A model, as `phoenix models` names them. */
const model = z.string().superRefine((text, context) => {
  try {
    parseReference(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
  }
});

/** What phoenix.yaml may say; every key is optional. docs/configuration.md explains each. */
export const configSchema = z.strictObject({
  /** Where everything that Phoenix keeps lives. Relative paths start at the folder of phoenix.yaml. */
  state_dir: z.string().min(1).default('state'),
  /** Folders that hold one folder for each skill, beside the skills that come with Phoenix. */
  skill_dirs: z.array(z.string().min(1)).default([]),
  skill_runtime: z.enum(['auto', 'docker', 'sandbox', 'process']).default('auto'),
  /** Names skills that somebody else starts and stops, as `phoenix deploy` writes it; they are the only ones that are used then. */
  skill_record: z.string().min(1).optional(),
  docker: z
    .strictObject({
      /** What to do when the image of a skill is missing or has older code. */
      build: z.enum(['auto', 'never']).default('auto'),
      /** How skills are reached; auto: by a socket, unless container and assistant have different kernels. */
      transport: z.enum(['auto', 'unix', 'tcp']).default('auto'),
    })
    .prefault({}),
  server: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: z.int().min(0).max(65_535).default(8080),
      /** Bearer token that requests must carry; required when `host` is not a loopback address. */
      token: z.string().min(16, 'a token has at least 16 characters').optional(),
      body_limit: size.default(1024 ** 2),
    })
    .prefault({}),
  pool: z
    .strictObject({
      idle_ttl: duration.default(300_000),
      memory_budget: size.default(0),
      max_loaded: z.int().min(0).default(0),
      lease: duration.default(60_000),
    })
    .prefault({}),
  memory: z
    .strictObject({
      backend: z.enum(['skill', 'local']).default('skill'),
      timeout: duration.default(5000),
      /** Verbs that have one object at a time, beside the built-in ones. */
      single_valued: z.array(z.string().min(1)).default([]),
    })
    .prefault({}),
  /** Language models, by path, address or reference; `nano` comes with Phoenix, `none` switches off. */
  models: z
    .strictObject({
      target: model.default('nano'),
      draft: model.default('nano'),
      /** Where models compute; anything but `off` needs a package more (docs/models.md). */
      gpu: z.enum(['off', 'auto', 'cuda', 'vulkan']).default('off'),
      /** Threads of the target; by default all processors but one. */
      threads: z.int().min(1).max(1024).optional(),
      /** Tokens of prompt and answer together; no more than the model was trained for. */
      context_size: z.int().min(64).max(1_048_576).default(4096),
      /** Texts that are generated at once; each has a context of its own. */
      parallel: z.int().min(1).max(64).default(2),
      /** exact: the text is, to the letter, what the target alone would write; distribution: as likely, and faster on some machines. */
      speculation: z.enum(['exact', 'distribution', 'off']).default('exact'),
    })
    .prefault({}),
  /** Who reads and answers messages: rules, the model where the rules do not understand (auto), or the model first. */
  language: z
    .strictObject({
      understanding: z.enum(['rules', 'auto', 'model']).default('auto'),
      answering: z.enum(['rules', 'model']).default('rules'),
    })
    .prefault({}),
  /** Which skills a request needs. */
  router: z
    .strictObject({
      /** The least score of a skill that is called, 0 to 1. */
      threshold: z.number().min(0).max(1).default(0.3),
      /** Most skills of one request. */
      top_k: z.int().min(1).max(16).default(3),
      /** How long skills may take to answer a request, their launch included; those that have answered by then count. */
      deadline: duration.default(30_000),
      /** Vectors of texts beside n-grams: those of the model of the assistant. */
      embeddings: z.enum(['off', 'target']).default('off'),
      /** What the router learns from: what users say and what happens (all), what users say, or nothing. */
      feedback: z.enum(['all', 'explicit', 'off']).default('all'),
      feedback_limit: z.int().min(1).max(1_000_000).default(5000),
    })
    .prefault({}),
  skills: z.record(z.string(), skillSettings).default({}),
  telemetry: z
    .strictObject({
      otlp: z
        .strictObject({
          /** Base URL of an OpenTelemetry collector that takes traces over HTTP; without it the OTEL_* variables decide. */
          endpoint: z
            .url({ protocol: /^https?$/, error: 'an endpoint is a URL like http://127.0.0.1:4318' })
            .optional(),
        })
        .prefault({}),
    })
    .prefault({}),
  log_level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export type Config = z.output<typeof configSchema>;
