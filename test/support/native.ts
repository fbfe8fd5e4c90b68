/**
 * Tiny Linux programs for x86-64 that make one system call and exit with its error number, 0 when it worked: what code in a
 * skill can do that does not content itself with what Node offers. elf(5), syscall(2).
 */

/** System calls by number: /usr/include/asm/unistd_64.h. */
export const SYSCALL = {
  ...{
    pause: 34,
    getpid: 39,
    ptrace: 101,
    syslog: 103,
    setuid: 105,
    setgid: 106,
    mknod: 133,
    pivotRoot: 155,
    chroot: 161,
  },
  ...{ mount: 165, umount: 166, swapon: 167, reboot: 169, sethostname: 170, iopl: 172 },
  ...{ initModule: 175, kexecLoad: 246, addKey: 248, keyctl: 250, unshare: 272, perfEventOpen: 298 },
  ...{ openByHandleAt: 304, setns: 308, bpf: 321, userfaultfd: 323 },
} as const;
/** What unshare(2) can make new: /usr/include/linux/sched.h. */
export const CLONE = { mounts: 0x2_0000, user: 0x1000_0000, pids: 0x2000_0000, network: 0x4000_0000 } as const;

export const canRunNative = process.arch === 'x64' && process.platform === 'linux';

const BASE = 0x40_0000;
const HEADERS = 64 + 56;
/** mov to edi, esi, edx, r10d, r8d. */
const MOV_ARGUMENT = [[0xbf], [0xbe], [0xba], [0x41, 0xba], [0x41, 0xb8]];
const MOV_EAX = 0xb8;
const SYSCALL_INSTRUCTION = [0x0f, 0x05];
const EXIT_GROUP = 231;
/** xor edi, edi; test rax, rax; jns +4; mov edi, eax; neg edi */
const EDI_BECOMES_ERRNO = [0x31, 0xff, 0x48, 0x85, 0xc0, 0x79, 0x04, 0x89, 0xc7, 0xf7, 0xdf];

/** The executable that makes this call. Text is passed by its address. */
export function program(number: number, args: readonly (number | string)[] = []): Buffer {
  const five = MOV_ARGUMENT.map((_, n) => args[n] ?? 0);
  const assemble = (addresses: readonly number[]) => [
    ...MOV_ARGUMENT.flatMap((opcode, n) => [...opcode, ...word(addresses[n] ?? 0)]),
    MOV_EAX,
    ...word(number),
    ...SYSCALL_INSTRUCTION,
    ...EDI_BECOMES_ERRNO,
    MOV_EAX,
    ...word(EXIT_GROUP),
    ...SYSCALL_INSTRUCTION,
  ];
  let end = BASE + HEADERS + assemble([]).length;
  const texts: Buffer[] = [];
  const addresses = five.map((argument) => {
    if (typeof argument === 'number') return argument;
    const text = Buffer.from(`${argument}\0`);
    texts.push(text);
    end += text.length;
    return end - text.length;
  });
  const body = Buffer.concat([Buffer.from(assemble(addresses)), ...texts]);
  return Buffer.concat([headers(HEADERS + body.length), body]);
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** ELF header and one program header that loads the whole file, readable and executable. */
function headers(size: number): Buffer {
  const bytes = Buffer.alloc(HEADERS);
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]).copy(bytes);
  const executable = 2;
  const x86 = 62;
  bytes.writeUInt16LE(executable, 16);
  bytes.writeUInt16LE(x86, 18);
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(BigInt(BASE + HEADERS), 24);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  const load = 1;
  const readAndExecute = 5;
  bytes.writeUInt32LE(load, 64);
  bytes.writeUInt32LE(readAndExecute, 68);
  bytes.writeBigUInt64LE(BigInt(BASE), 80);
  bytes.writeBigUInt64LE(BigInt(BASE), 88);
  bytes.writeBigUInt64LE(BigInt(size), 96);
  bytes.writeBigUInt64LE(BigInt(size), 104);
  bytes.writeBigUInt64LE(4096n, 112);
  return bytes;
}
