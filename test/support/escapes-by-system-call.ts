/** What a skill cannot do with system calls of its own making. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Attack } from './attack.ts';
import { placing } from './inside.ts';
import { CLONE, canRunNative, program, SYSCALL } from './native.ts';

const EPERM = 1;
const ESRCH = 3;
const EINVAL = 22;
const ENOSPC = 28;
const ENOSYS = 38;
const PTRACE_ATTACH = 16;
const BLOCK_DEVICE = 0o060_600;
const FIRST_DISK = 0x0800;
const SYSLOG_READ_ALL = 3;
const OWN_SESSION_KEYRING = 0xffff_fffd;

interface Call {
  name: string;
  number: number;
  args?: readonly (number | string)[];
  /** Error numbers that refuse it; EPERM when left out. */
  refused?: readonly number[];
}

const CALLS: Call[] = [
  // bubblewrap lets nobody have a further one, which is "no space"; seccomp says EPERM.
  { name: 'unshare users', number: SYSCALL.unshare, args: [CLONE.user], refused: [EPERM, ENOSPC] },
  { name: 'unshare mounts', number: SYSCALL.unshare, args: [CLONE.mounts] },
  { name: 'unshare network', number: SYSCALL.unshare, args: [CLONE.network] },
  { name: 'unshare processes', number: SYSCALL.unshare, args: [CLONE.pids] },
  { name: 'mount', number: SYSCALL.mount, args: ['none', '/tmp', 'tmpfs'] },
  { name: 'umount', number: SYSCALL.umount, args: ['/tmp'] },
  { name: 'pivot_root', number: SYSCALL.pivotRoot, args: ['/tmp', '/tmp'] },
  { name: 'chroot', number: SYSCALL.chroot, args: ['/tmp'] },
  { name: 'mknod of a disk', number: SYSCALL.mknod, args: ['/data/disk', BLOCK_DEVICE, FIRST_DISK] },
  { name: 'sethostname', number: SYSCALL.sethostname, args: ['other', 5] },
  { name: 'setuid root', number: SYSCALL.setuid, args: [0], refused: [EPERM, EINVAL] },
  { name: 'setgid root', number: SYSCALL.setgid, args: [0], refused: [EPERM, EINVAL] },
  { name: 'syslog', number: SYSCALL.syslog, args: [SYSLOG_READ_ALL, '        ', 8] },
  { name: 'init_module', number: SYSCALL.initModule, args: ['', 0, ''] },
  { name: 'kexec_load', number: SYSCALL.kexecLoad, args: [0, 0, 0, 0] },
  { name: 'reboot', number: SYSCALL.reboot, args: [0xfee1_dead, 0x2812_1969, 0x89ab_cdef] },
  { name: 'swapon', number: SYSCALL.swapon, args: ['/data/program', 0] },
  { name: 'iopl', number: SYSCALL.iopl, args: [3] },
  // The test's own process, which is not there inside.
  { name: 'ptrace of the host', number: SYSCALL.ptrace, args: [PTRACE_ATTACH, process.pid], refused: [EPERM, ESRCH] },
];

/** What only a filter of system calls prevents. */
const FILTERED: Call[] = [
  { name: 'keyctl', number: SYSCALL.keyctl, args: [0, OWN_SESSION_KEYRING, 0] },
  { name: 'add_key', number: SYSCALL.addKey, args: ['user', 'name', 'value', 5, OWN_SESSION_KEYRING] },
  { name: 'bpf', number: SYSCALL.bpf, args: [0, 0, 0] },
  { name: 'perf_event_open', number: SYSCALL.perfEventOpen, args: [0, 0, 0, 0, 0] },
  { name: 'userfaultfd', number: SYSCALL.userfaultfd, args: [0] },
  { name: 'open_by_handle_at', number: SYSCALL.openByHandleAt, args: [0, '        ', 0] },
  { name: 'setns', number: SYSCALL.setns, args: [0, 0] },
];

/** Runs a native program inside. @returns its exit status */
function runInside(attack: Attack, executable: Buffer, path = '/data/program'): Promise<number | string> {
  return attack.inside<number | string>(
    `${placing(path, executable)}
    const { error, status, signal } = require('child_process').spawnSync('${path}', { timeout: 5000 });
    return error?.code ?? signal ?? status`,
  );
}

/** Tests inside the `describe` of a level. */
export function systemCallEscapes(attack: Attack): void {
  describe('by system calls', { skip: canRunNative ? false : 'written for Linux on x86-64' }, () => {
    it('programs that it brings with it run', async () => {
      assert.equal(await runInside(attack, program(SYSCALL.getpid)), 0);
    });

    it('no namespace, mount, root, device, module, name, identity or debugger is to be had', async () => {
      for (const { name, number, args, refused = [EPERM] } of CALLS) {
        const status = await runInside(attack, program(number, args));
        // A kernel that has no such call at all refuses it too.
        assert.ok([ENOSYS, ...refused].includes(Number(status)), `${name}: ${status}`);
      }
    });

    it('the filter refuses key rings, kernel programs, tracing and other namespaces', async () => {
      const status = await attack.inside<string>("return require('fs').readFileSync('/proc/self/status', 'utf8')");
      assert.match(status, /^Seccomp:\s*2$/m);
      for (const { name, number, args } of FILTERED)
        assert.equal(await runInside(attack, program(number, args)), EPERM, name);
    });

    if (attack.level.name !== 'container') return;

    it('no program runs from the temporary folder', async () => {
      const executable = program(SYSCALL.getpid);
      assert.equal(await runInside(attack, executable, '/tmp/program'), 'EACCES');
    });
  });
}
