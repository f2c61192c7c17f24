/** One megabyte inserted at the head of a large file. */
import { closeSync, mkdirSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { random } from '../../test/e2e/support/trees.ts'
import { figure, type Row, ratio } from './figures.ts'
import { inPod, namespace, pod } from './lab.ts'
import { meter } from './meter.ts'
import { must, timed } from './run.ts'
import { cli, environment, quick, scratch, turns } from './settings.ts'

const MEGABYTE = 1e6
const SIZE = quick ? 200 * MEGABYTE : 1000 * MEGABYTE
const REMOTE = '/large'

/** Content that cannot be compressed, and in which nothing repeats. */
function writeRandom(
  path: string,
  { size, seed, append }: { size: number; seed: number; append?: string },
): void {
  const next = random(seed)
  const fd = openSync(path, 'w')
  for (let left = size; left > 0; left -= MEGABYTE) {
    const chunk = new Uint32Array(MEGABYTE / 4).map(() => next() * 2 ** 32)
    writeSync(fd, new Uint8Array(chunk.buffer))
  }
  closeSync(fd)
  if (append !== undefined) must('bash', ['-c', `cat '${append}' >>'${path}' && mv '${path}' '${append}'`])
}

export async function headInsert(): Promise<Row> {
  const local = join(scratch, 'large')
  const copy = join(scratch, 'large copy')
  for (const folder of [local, copy]) mkdirSync(folder)
  const file = join(local, 'file.bin')
  writeRandom(file, { size: SIZE, seed: 1 })
  must('cp', ['-p', file, copy])
  const metered = await meter()
  const runs = { kubesync: [] as number[], rsync: [] as number[] }
  const sent = { kubesync: [] as number[], rsync: [] as number[] }
  const env = { ...environment, KUBECONFIG: metered.kubeconfig }
  const sync = () =>
    must(process.execPath, [cli, 'run', '--once', '-n', namespace, '--pod', pod, local, REMOTE], { env })
  try {
    sync()
    for (let turn = 0; turn < turns; turn++) {
      writeRandom(join(local, '.new'), { size: MEGABYTE, seed: turn + 2, append: file })
      const before = metered.sent()
      runs.kubesync.push(await timed(sync))
      sent.kubesync.push((metered.sent() - before) / MEGABYTE)
      if (Number(inPod(`stat -c %s ${REMOTE}/file.bin`)) !== statSync(file).size)
        throw new Error('it did not arrive')
      let said = ''
      runs.rsync.push(
        await timed(() => {
          said = must('rsync', ['-a', '--no-whole-file', '--stats', file, `${copy}/`])
        }),
      )
      sent.rsync.push(Number(/Total bytes sent: ([\d,]+)/.exec(said)?.[1]?.replaceAll(',', '')) / MEGABYTE)
    }
  } finally {
    metered.close()
    for (const folder of [local, copy]) rmSync(folder, { recursive: true, force: true })
    inPod(`rm -rf ${REMOTE}`)
  }
  const times = [figure('kubesync', 's', runs.kubesync), figure('rsync, two local folders', 's', runs.rsync)]
  const bytes = [figure('kubesync sends', 'MB', sent.kubesync), figure('rsync sends', 'MB', sent.rsync)]
  const reaches = [
    { ...ratio(bytes, 'rsync sends', 1.1), what: "× rsync's bytes" },
    { ...ratio(times, 'rsync, two local folders', 1), what: "× rsync's time" },
  ]
  return {
    name: 'delta',
    title: `1 MB inserted at the head of a ${SIZE / MEGABYTE} MB file`,
    figures: [...times, ...bytes],
    reaches,
  }
}
