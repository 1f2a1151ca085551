import { closeSync, openSync, readSync, statSync, unwatchFile, watchFile } from 'node:fs'
import { LlmspellError } from '@llmspell/base'
import { logTail, readKernel } from '@llmspell/manager'
import { type Context, flag, integerOption } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { kernelId } from '../../session/kernel-argument.ts'

/** Milliseconds between two looks at a log that is followed. */
const LOOK_MS = 200

export async function run(context: Context): Promise<number> {
  const { paths, terminal } = context
  const id = kernelId(context)
  const file = readKernel(paths, id)?.record.logFile ?? paths.logFile(id)
  const size = statSync(file, { throwIfNoEntry: false })?.size
  if (size === undefined) {
    throw new LlmspellError(`there is no log of a kernel "${id}"`, {
      code: 'kernel.no_log',
      data: { id, file },
      hint: '`llmspell kernel list` shows your kernels.',
    })
  }
  const tail = logTail(file, integerOption(context, 'lines') ?? 50)
  if (tail) terminal.out(`${tail}\n`)
  if (flag(context, 'follow')) await follow(context, file, size)
  return EXIT.ok
}

/** Until Ctrl-C, or until the reader goes away. A log that became shorter was begun anew. */
function follow({ terminal }: Context, file: string, from: number): Promise<void> {
  let position = from
  return new Promise((resolve) => {
    watchFile(file, { interval: LOOK_MS }, ({ size }) => {
      if (size < position) position = 0
      if (size === position) return
      terminal.out(readFrom(file, position, size))
      position = size
    })
    const end = (): void => {
      unwatchFile(file)
      resolve()
    }
    process.once('SIGINT', end)
    terminal.readerGone.addEventListener('abort', end)
  })
}

function readFrom(file: string, from: number, to: number): string {
  const fd = openSync(file, 'r')
  try {
    const buffer = Buffer.alloc(to - from)
    return buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, from)).toString('utf8')
  } finally {
    closeSync(fd)
  }
}
