import { describe, expect, test } from 'vitest'
import { machineOf } from './machine.ts'

/*
 * What is expected here comes from an assembler (LLVM's for arm64, GNU's for amd64) that was given the same program as
 * text, at these addresses: `calls` 0xaa, `stack` 0x99, the stack pointer 0x1122334455667788 where it fits a number.
 */
const place = { at: 0x1004, back: 0x1000, calls: 0xaa, stack: 0x99, stackPointer: 0x112233445566 }

test('arm64: word for word what the assembler makes', () => {
  const { code, spinAt } = machineOf('arm64').stub(place)
  const words = Array.from({ length: code.length / 4 }, (_, index) =>
    code.readUInt32LE(index * 4).toString(16),
  )
  expect(words.join(' ')).toBe(
    [
      'f81f03f0 580002f0 cb3063f0 b4000070 f85f03f0 17fffffa 58000290 a93e0600 a93d0e02 a93c4608 58000251',
      'f9400228 b7f800e8 a9408620 a9418e22 d4000001 f9001620 9100c231 17fffff9',
      'a97c4608 a97d0e02 a97e0600 f85f03f0 14000000',
      '33445566 1122 99 0 aa 0',
    ].join(' '),
  )
  expect(words[spinAt / 4]).toBe('14000000')
})

test('amd64: byte for byte what the assembler makes', () => {
  const { code, spinAt } = machineOf('x64').stub({ ...place, at: 0x1002 })
  expect(code.toString('hex')).toBe(
    [
      '48898c2400ffffff 48b99aaabbccddeeffff 488d0c0c e30d 488b8c2400ffffff e9d9ffffff 488b8c2400ffffff',
      '48bc9900000000000000 9c50515253565741524153 48bbaa00000000000000',
      '488b03 4885c0 781c 488b7b08 488b7310 488b5318 4c8b5320 0f05 48894328 4883c330 ebdc',
      '415b415a5f5e5b5a59589d 48bc6655443322110000 ebfe',
    ]
      .join('')
      .replaceAll(' ', ''),
  )
  expect(code.subarray(spinAt)).toEqual(machineOf('x64').spin)
})

describe.each(['x64', 'arm64'])('%s', (arch) => {
  const machine = machineOf(arch)

  test('a jump to itself is the spin, and a hop is as long', () => {
    expect(machine.hop(0x1000, 0x1000)).toEqual(machine.spin)
    expect(machine.hop(0x1000, 0x1004)).toHaveLength(machine.spin.length)
  })

  test('jumps reach back and forth', () => {
    const distance = (from: number, to: number) => {
      const code = machine.jump(from, to)
      // rel32 behind the opcode, from the next instruction on; or a signed number of instructions in 26 bits.
      return arch === 'x64' ? code.readInt32LE(1) + code.length : ((code.readInt32LE() << 6) >> 6) * 4
    }
    expect(distance(0x2000, 0x1000)).toBe(-0x1000)
    expect(distance(0x1000, 0x2000)).toBe(0x1000)
  })
})

test('another CPU is refused', () => {
  expect(() => machineOf('riscv64')).toThrow(/riscv64/)
})
