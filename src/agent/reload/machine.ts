import { KubesyncError } from '../../errors.ts'

/**
 * The few instructions that make one thread carry out system calls from a list, and put it back as it was if it comes to
 * the list's end. The encodings are in AMD64 Architecture Programmer's Manual volume 3 and in the Arm Architecture
 * Reference Manual (A64); the numbers of the calls in Linux' syscall_64.tbl and asm-generic/unistd.h.
 */
export interface Machine {
  /** As an ELF header names it. */
  readonly elfMachine: number
  /** Bytes of the instruction that calls the kernel; a call that was interrupted starts again that much earlier. */
  readonly syscallLength: number
  /** An instruction that jumps to itself and touches nothing: whoever comes there stays there. */
  readonly spin: Buffer
  /** What the return address of a signal handler points to, where that is on the stack. */
  readonly returnFromSignal?: Buffer
  readonly numbers: Readonly<Record<'execve' | 'wait4' | 'fcntl' | 'sigaction' | 'sigprocmask', number>>
  /** Where below its stack pointer a thread keeps a register in the stub, beyond what compilers use there; bytes. */
  readonly scratch: { readonly below: number; readonly length: number }
  stub(place: StubPlace): Stub
  /** From an address to another one that is near; `hop` is as long as `spin`, and reaches 100 bytes ahead. */
  jump(from: number, to: number): Buffer
  hop(from: number, to: number): Buffer
}

export interface StubPlace {
  /** Where the stub lies, and the place that threads come from and go back to. */
  readonly at: number
  readonly back: number
  /** The list: `callSize` bytes each, the last one's number is -1. */
  readonly calls: number
  /** Below it the stub keeps registers, and the kernel lays signal frames. */
  readonly stack: number
  /** Of the thread that is meant: any other one is sent back. */
  readonly stackPointer: number
}

export interface Stub {
  readonly code: Buffer
  /** Where in the code the thread spins, with all its registers as they were, if no call ended in another program. */
  readonly spinAt: number
}

/** A call in the list: number, four arguments, and the place of its result; eight bytes each. */
export const callSize = 48
export const resultOffset = 40

export function machineOf(arch: string): Machine {
  if (arch === 'x64') return amd64
  if (arch === 'arm64') return arm64
  throw new KubesyncError('RELOAD_REFUSED', `restart in place is not known on this node's CPU (${arch})`, {
    hint: 'use --reload restart-container',
  })
}

const amd64: Machine = {
  elfMachine: 62,
  syscallLength: 2,
  spin: hex('eb fe'), // jmp .
  returnFromSignal: hex('48 c7 c0 0f 00 00 00 0f 05'), // mov rax, 15 (rt_sigreturn); syscall
  numbers: { execve: 59, wait4: 61, fcntl: 72, sigaction: 13, sigprocmask: 14 },
  // The red zone is 128 bytes.
  scratch: { below: 256, length: 8 },
  stub({ at, back, calls, stack, stackPointer }) {
    // None of these changes a flag: is this the thread that is meant?
    const who = Buffer.concat([
      hex('48 89 8c 24 00 ff ff ff'), // mov [rsp-256], rcx
      ...[hex('48 b9'), word(-stackPointer)], // mov rcx, -stackPointer
      hex('48 8d 0c 0c'), // lea rcx, [rsp+rcx]
      hex('e3 0d'), // jrcxz past the jump
      hex('48 8b 8c 24 00 ff ff ff'), // mov rcx, [rsp-256]
      amd64.jump(at + 32, back),
      hex('48 8b 8c 24 00 ff ff ff'), // mov rcx, [rsp-256]
    ])
    const before = Buffer.concat([
      ...[hex('48 bc'), word(stack)], // mov rsp, stack
      hex('9c 50 51 52 53 56 57 41 52 41 53'), // pushfq; push rax, rcx, rdx, rbx, rsi, rdi, r10, r11
      ...[hex('48 bb'), word(calls)], // mov rbx, calls
    ])
    const loop = hex(
      [
        '48 8b 03', // mov rax, [rbx]
        '48 85 c0', // test rax, rax
        '78 1c', // js past the loop
        '48 8b 7b 08', // mov rdi, [rbx+8]
        '48 8b 73 10', // mov rsi, [rbx+16]
        '48 8b 53 18', // mov rdx, [rbx+24]
        '4c 8b 53 20', // mov r10, [rbx+32]
        '0f 05', // syscall
        '48 89 43 28', // mov [rbx+40], rax
        '48 83 c3 30', // add rbx, 48
        'eb dc', // jmp to the loop's start
      ].join(''),
    )
    const after = Buffer.concat([
      hex('41 5b 41 5a 5f 5e 5b 5a 59 58 9d'), // pop in the opposite order; popfq
      ...[hex('48 bc'), word(stackPointer)], // mov rsp, stackPointer
    ])
    const code = Buffer.concat([who, before, loop, after, amd64.spin])
    return { code, spinAt: code.length - amd64.spin.length }
  },
  jump(from, to) {
    const code = hex('e9 00 00 00 00') // jmp rel32, from the next instruction on
    code.writeInt32LE(to - (from + code.length), 1)
    return code
  },
  hop: (from, to) => Buffer.from([0xeb, to - (from + 2)]), // jmp rel8
}

const arm64: Machine = {
  elfMachine: 183,
  syscallLength: 4,
  spin: instructions(0x14000000), // b .
  numbers: { execve: 221, wait4: 260, fcntl: 25, sigaction: 134, sigprocmask: 135 },
  scratch: { below: 16, length: 8 },
  stub({ at, back, calls, stack, stackPointer }) {
    const code = instructions(
      0xf81f03f0, // stur x16, [sp, #-16]
      0x580002f0, // ldr x16, stackPointer: 23 instructions on
      0xcb3063f0, // sub x16, sp, x16
      0xb4000070, // cbz x16, past the jump
      0xf85f03f0, // ldur x16, [sp, #-16]
      branch(at + 20, back), // b back
      0x58000290, // ldr x16, stack: 20 instructions on
      0xa93e0600, // stp x0, x1, [x16, #-32]
      0xa93d0e02, // stp x2, x3, [x16, #-48]
      0xa93c4608, // stp x8, x17, [x16, #-64]
      0x58000251, // ldr x17, calls: 18 instructions on
      0xf9400228, // loop: ldr x8, [x17]
      0xb7f800e8, // tbnz x8, #63, past the loop
      0xa9408620, // ldp x0, x1, [x17, #8]
      0xa9418e22, // ldp x2, x3, [x17, #24]
      0xd4000001, // svc #0
      0xf9001620, // str x0, [x17, #40]
      0x9100c231, // add x17, x17, #48
      0x17fffff9, // b loop
      0xa97c4608, // ldp x8, x17, [x16, #-64]
      0xa97d0e02, // ldp x2, x3, [x16, #-48]
      0xa97e0600, // ldp x0, x1, [x16, #-32]
      0xf85f03f0, // ldur x16, [sp, #-16]
      0x14000000, // b .
    )
    const spinAt = code.length - arm64.spin.length
    return { code: Buffer.concat([code, word(stackPointer), word(stack), word(calls)]), spinAt }
  },
  jump: (from, to) => instructions(branch(from, to)),
  hop: (from, to) => instructions(branch(from, to)),
}

/** b, with the distance in instructions. */
function branch(from: number, to: number): number {
  return (0x14000000 | (((to - from) / 4) & 0x03ffffff)) >>> 0
}

function instructions(...words: number[]): Buffer {
  const code = Buffer.alloc(words.length * 4)
  for (const [index, value] of words.entries()) code.writeUInt32LE(value, index * 4)
  return code
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt(value))
  return bytes
}

function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex')
}
