/**
 * The filter of system calls in the sandbox: what needs a right there is refused without it too; this closes what is merely a large
 * part of the kernel to attack. As in the default profile of Docker (https://docs.docker.com/engine/security/seccomp/).
 *
 * A program for seccomp(2) in classic BPF, written by hand, because it is 50 instructions and libseccomp would be a native build.
 */

/** Names and numbers on x86-64 and arm64 (the kernel's arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). */
const REFUSED: readonly (readonly [name: string, x64: number, arm64: number])[] = [
  ['acct', 163, 89],
  ['add_key', 248, 217],
  ['bpf', 321, 280],
  ['delete_module', 176, 106],
  ['finit_module', 313, 273],
  ['fsconfig', 431, 431],
  ['fsmount', 432, 432],
  ['fsopen', 430, 430],
  ['fspick', 433, 433],
  ['init_module', 175, 105],
  ['io_uring_enter', 426, 426],
  ['io_uring_register', 427, 427],
  ['io_uring_setup', 425, 425],
  ['kcmp', 312, 272],
  ['kexec_file_load', 320, 294],
  ['kexec_load', 246, 104],
  ['keyctl', 250, 219],
  ['lookup_dcookie', 212, 18],
  ['mount', 165, 40],
  ['mount_setattr', 442, 442],
  ['move_mount', 429, 429],
  ['name_to_handle_at', 303, 264],
  ['open_by_handle_at', 304, 265],
  ['open_tree', 428, 428],
  ['perf_event_open', 298, 241],
  ['pidfd_getfd', 438, 438],
  ['pivot_root', 155, 41],
  ['process_vm_readv', 310, 270],
  ['process_vm_writev', 311, 271],
  ['ptrace', 101, 117],
  ['quotactl', 179, 60],
  ['reboot', 169, 142],
  ['request_key', 249, 218],
  ['setns', 308, 268],
  ['swapoff', 168, 225],
  ['swapon', 167, 224],
  ['umount2', 166, 39],
  ['unshare', 272, 97],
  ['userfaultfd', 323, 282],
];

/** linux/audit.h; clone with flags that make namespaces, whose number differs; clone3, which passes its flags in memory. */
const MACHINES = {
  x64: { audit: 0xc000_003e, column: 1, clone: 56, clone3: 435 },
  arm64: { audit: 0xc000_00b7, column: 2, clone: 220, clone3: 435 },
} as const;

/** Numbers from here on are those of the x32 interface, another way to the same calls. */
const X32 = 0x4000_0000;
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET of clone(2). */
const NAMESPACE_FLAGS = 0x7e02_0000;

/** struct seccomp_data. */
const [NUMBER, ARCHITECTURE, FIRST_ARGUMENT] = [0, 4, 16];
/** linux/bpf_common.h: load a word, jump if equal, not below, any bit set, return. */
const [LOAD, JUMP_EQUAL, JUMP_NOT_BELOW, JUMP_ANY_BIT, RETURN] = [0x20, 0x15, 0x35, 0x45, 0x06];
/** linux/seccomp.h */
const [ALLOW, ERRNO, KILL_PROCESS] = [0x7fff_0000, 0x0005_0000, 0x8000_0000];
const [EPERM, ENOSYS] = [1, 38];

/** The program as an array of struct sock_filter; undefined on processors whose numbers are not known here. */
export function systemCallFilter(architecture: string = process.arch): Buffer | undefined {
  const machine = MACHINES[architecture as keyof typeof MACHINES];
  if (!machine) return undefined;
  const program: [code: number, operand: number, ifTrue: number, ifFalse: number][] = [
    [LOAD, ARCHITECTURE, 0, 0],
    [JUMP_EQUAL, machine.audit, 1, 0],
    [RETURN, KILL_PROCESS, 0, 0],
    [LOAD, NUMBER, 0, 0],
  ];
  const refuse = (jump: number, operand: number, errno: number) =>
    program.push([jump, operand, 0, 1], [RETURN, ERRNO | errno, 0, 0]);
  refuse(JUMP_NOT_BELOW, X32, EPERM);
  for (const entry of REFUSED) refuse(JUMP_EQUAL, entry[machine.column], EPERM);
  // As if the kernel were older: callers fall back to clone, whose flags can be looked at.
  refuse(JUMP_EQUAL, machine.clone3, ENOSYS);
  program.push([JUMP_EQUAL, machine.clone, 0, 3], [LOAD, FIRST_ARGUMENT, 0, 0]);
  refuse(JUMP_ANY_BIT, NAMESPACE_FLAGS, EPERM);
  program.push([RETURN, ALLOW, 0, 0]);
  const bytes = Buffer.alloc(program.length * 8);
  for (const [n, [code, operand, ifTrue, ifFalse]] of program.entries()) {
    bytes.writeUInt16LE(code, n * 8);
    bytes.writeUInt8(ifTrue, n * 8 + 2);
    bytes.writeUInt8(ifFalse, n * 8 + 3);
    bytes.writeUInt32LE(operand >>> 0, n * 8 + 4);
  }
  return bytes;
}
