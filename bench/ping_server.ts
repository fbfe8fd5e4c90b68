/** Sends back what it gets, on a unix socket: what the operating system alone takes. `ping_server.ts SOCKET`. */
import { createServer } from 'node:net';

createServer((socket) => socket.on('data', (data) => socket.write(data))).listen(process.argv[2], () => {
  process.stdout.write('ready\n');
});
