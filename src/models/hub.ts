import { posix } from 'node:path';
import { z } from 'zod';
import { ModelError } from './error.ts';
import { fileNameOf, formatReference, type ModelReference } from './reference.ts';

/** Where a file is, and what its source says about it. */
export interface RemoteFile {
  url: string;
  fileName: string;
  size: number | undefined;
  /** The published checksum. */
  sha256: string | undefined;
  /** Sent as a bearer token to the host of the address, and to no other. */
  token: string | undefined;
}

export interface HubOptions {
  /** Address of the hub; HF_ENDPOINT, or https://huggingface.co. */
  endpoint: string;
  /** HF_TOKEN: for models that are not public. */
  token: string | undefined;
}

/** The hub that the environment names, as the hub's own tools read it. */
export function hubOptions(environment: NodeJS.ProcessEnv = process.env): HubOptions {
  return {
    endpoint: (environment.HF_ENDPOINT || 'https://huggingface.co').replace(/\/+$/, ''),
    token: environment.HF_TOKEN || undefined,
  };
}

/** https://huggingface.co/docs/hub/api: files of a repository, those of some size with their digest. */
const repositorySchema = z.object({
  sha: z.string().default('main'),
  siblings: z
    .array(
      z.object({
        rfilename: z.string(),
        size: z.number().optional(),
        lfs: z.object({ sha256: z.string(), size: z.number() }).optional(),
      }),
    )
    .default([]),
});

/** Finds the file that a reference means. @throws ModelError */
export async function locate(
  reference: ModelReference,
  hub: HubOptions,
  signal: AbortSignal | undefined,
): Promise<RemoteFile> {
  if (reference.kind === 'url') {
    const fileName = fileNameOf(reference) ?? 'model.gguf';
    return { url: reference.url, fileName, size: undefined, sha256: undefined, token: undefined };
  }
  if (reference.kind !== 'hub')
    throw new ModelError(`${formatReference(reference)} is here already: there is nothing to pull`);
  const { owner, repo } = reference;
  const { sha, siblings } = await readRepository(`${owner}/${repo}`, hub, signal);
  const models = siblings.filter(({ rfilename }) => rfilename.endsWith('.gguf'));
  const matches = models.filter(({ rfilename }) =>
    'file' in reference ? rfilename === reference.file : hasQuantization(rfilename, reference.quantization),
  );
  const [found, another] = matches;
  if (!found || another) {
    const names = (another ? matches : models).map(({ rfilename }) => rfilename);
    throw new ModelError(
      `${formatReference(reference)}: ${another ? 'several files fit' : 'there is no such file'}; name one of: ${names.join(', ') || 'the repository has no .gguf file'}`,
    );
  }
  const path = found.rfilename.split('/').map(encodeURIComponent).join('/');
  return {
    url: `${hub.endpoint}/${owner}/${repo}/resolve/${sha}/${path}`,
    fileName: posix.basename(found.rfilename),
    size: found.lfs?.size ?? found.size,
    sha256: found.lfs?.sha256,
    token: hub.token,
  };
}

async function readRepository(name: string, { endpoint, token }: HubOptions, signal: AbortSignal | undefined) {
  const url = `${endpoint}/api/models/${name}?blobs=true`;
  let response: Response;
  try {
    response = await fetch(url, { headers: token ? { authorization: `Bearer ${token}` } : {}, signal });
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw new ModelError(`${url} cannot be reached: ${reasonOf(error)}`);
  }
  if (!response.ok) {
    await response.body?.cancel();
    throw new ModelError(refusal(url, response.status, token !== undefined));
  }
  const parsed = repositorySchema.safeParse(await response.json().catch(() => undefined));
  if (!parsed.success) throw new ModelError(`${url} is no answer of a model hub; is HF_ENDPOINT right?`);
  return parsed.data;
}

/** Whether a file name says that it has this quantization: `-`, `.` or `_` around it, capitals or not. */
function hasQuantization(name: string, quantization: string): boolean {
  const escaped = quantization.replace(/[.]/g, '\\.');
  return new RegExp(`(^|[-._/])${escaped}\\.gguf$`, 'i').test(name);
}

/** What a status means for somebody who wanted to pull. */
export function refusal(url: string, status: number, hadToken: boolean): string {
  if (status === 401 || status === 403) {
    const hint = hadToken
      ? 'HF_TOKEN is set, but gives no access: accept the terms of the model on its page, or use another token'
      : 'it is not public, or there is no such model: set HF_TOKEN to a token that may read it';
    return `${url}: no access (${status}); ${hint}`;
  }
  if (status === 404) return `${url}: there is no such file (404)`;
  return `${url}: the server answered ${status}; try again later`;
}

/** Why a request failed: fetch keeps that in the cause. */
export function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message || cause.name : message;
}
