/** A bare grpc-js server that answers every commit with one proposal, on a unix socket. `bidi_server.ts SOCKET`. */
import { Server, ServerCredentials, type ServerDuplexStream, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { type DraftRequest, type DraftResponse, SkillServiceService } from '../src/contract/index.ts';

const server = new Server();
server.addService(SkillServiceService, {
  draft(stream: ServerDuplexStream<DraftRequest, DraftResponse>) {
    stream.on('data', ({ commit }: DraftRequest) => {
      if (!commit) return;
      const basis = commit.position + commit.tokens.length;
      stream.write({ opened: undefined, proposal: { basis, position: basis, tokens: [1, 2, 3, 4] } });
    });
    stream.on('end', () => stream.end());
  },
} as Partial<UntypedServiceImplementation> as UntypedServiceImplementation);
server.bindAsync(`unix:${process.argv[2]}`, ServerCredentials.createInsecure(), () => process.stdout.write('ready\n'));
