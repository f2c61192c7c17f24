import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { personAt } from './ask.ts'

function terminal() {
  const [input, output, ending] = [new PassThrough(), new PassThrough(), new AbortController()]
  const ask = personAt(input, output, ending.signal)
  return { input, ending, ask, said: () => String(output.read() ?? '') }
}

test('what is said after a question that nobody answers begins a new line', async () => {
  const gone = terminal()
  const nobody = gone.ask('Write it?')
  gone.input.end()
  expect([await nobody, gone.said()]).toEqual([undefined, 'Write it? \n'])

  const interrupted = terminal()
  const asked = interrupted.ask('Write it?')
  interrupted.ending.abort(new Error('Ctrl-C'))
  await expect(asked).rejects.toThrow('Ctrl-C')
  expect(interrupted.said()).toBe('Write it? \n')
})

test('an answer ends the line itself', async () => {
  const { input, ask, said } = terminal()
  input.write(' yes \n')
  expect([await ask('Write it?'), said()]).toEqual(['yes', 'Write it? '])
})
