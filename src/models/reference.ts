import { posix } from 'node:path';
import { ModelError } from './error.ts';

/** What a model is used for: the target writes, the draft proposes. */
export type ModelRole = 'target' | 'draft';
export const MODEL_ROLES = ['target', 'draft'] as const satisfies readonly ModelRole[];

/** Where a model comes from. */
export type ModelReference =
  /** Models are switched off. */
  | { kind: 'none' }
  /** One of the pair that comes with Phoenix. */
  | { kind: 'nano' }
  | { kind: 'path'; path: string }
  | { kind: 'url'; url: string }
  /** A file of a repository on a model hub, by its path there or by its quantization, for example Q4_K_M. */
  | { kind: 'hub'; owner: string; repo: string; file: string }
  | { kind: 'hub'; owner: string; repo: string; quantization: string };

const HELP =
  'name a model by the path of a .gguf file, https://HOST/FILE.gguf, hf:OWNER/REPO/FILE.gguf, hf:OWNER/REPO:QUANTIZATION (for example hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF:Q8_0), nano, or none';
const EXTENSION = '.gguf';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;

/** Reads a reference as phoenix.yaml and the command line write it. @throws ModelError */
export function parseReference(text: string): ModelReference {
  if (text === 'none' || text === 'nano') return { kind: text };
  if (text.startsWith('hf:')) return parseHub(text);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return parseUrl(text);
  if (!text.endsWith(EXTENSION)) throw new ModelError(`"${text}" is no model: ${HELP}`);
  return { kind: 'path', path: text };
}

/** The text that {@link parseReference} reads as this. */
export function formatReference(reference: ModelReference): string {
  switch (reference.kind) {
    case 'none':
    case 'nano':
      return reference.kind;
    case 'path':
      return reference.path;
    case 'url':
      return reference.url;
    case 'hub': {
      const { owner, repo } = reference;
      return `hf:${owner}/${repo}${'file' in reference ? `/${reference.file}` : `:${reference.quantization}`}`;
    }
  }
}

function parseHub(text: string): ModelReference {
  const [, owner = '', repo = '', sign, rest = ''] = /^hf:([^/]*)\/([^/:]*)([/:])(.*)$/s.exec(text) ?? [];
  const isNamed = NAME.test(owner) && NAME.test(repo);
  if (isNamed && sign === ':' && NAME.test(rest)) return { kind: 'hub', owner, repo, quantization: rest };
  const isFile = rest.endsWith(EXTENSION) && rest.split('/').every((part) => NAME.test(part));
  if (isNamed && sign === '/' && isFile) return { kind: 'hub', owner, repo, file: rest };
  throw new ModelError(`"${text}" names no model of a hub: ${HELP}`);
}

function parseUrl(text: string): ModelReference {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !isSafe(url) || !url.pathname.endsWith(EXTENSION)) {
    throw new ModelError(
      `"${withoutSecrets(text)}" is no address of a model: it must begin with https:// and end with ${EXTENSION}; ${HELP}`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw new ModelError(`${withoutSecrets(text)}: an address must hold no password; it would show up in logs`);
  }
  return { kind: 'url', url: url.href };
}

function withoutSecrets(text: string): string {
  return text.replace(/\/\/[^/@]*@/, '//');
}

/** Whether nobody on the way can read or change what comes from there: encrypted, or this machine itself. */
export function isSafe({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || (protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(hostname));
}

/** The name of the file of a model that is pulled; undefined while only its quantization is known. */
export function fileNameOf(reference: ModelReference): string | undefined {
  if (reference.kind === 'url') return decodeURIComponent(posix.basename(new URL(reference.url).pathname));
  return reference.kind === 'hub' && 'file' in reference ? posix.basename(reference.file) : undefined;
}
