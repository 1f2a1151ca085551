import { codeOf } from '@llmspell/base'
import type { ExecuteOptions, ExecuteReply, Execution, Output } from '@llmspell/client'
import type { MimeBundle } from '@llmspell/jupyter'
import { type Context, secondsOption } from '../context.ts'
import { EXIT } from '../exit-codes.ts'
import type { Position } from '../render/excerpt.ts'
import { createInput, type Input } from './input.ts'
import type { OpenKernel } from './open-kernel.ts'

/** What takes the outputs: text for people, or JSON events for programs. */
export interface OutputSink {
  start(execution: Execution, kernel: OpenKernel): void
  output(output: Output): void
  /** Documentation that the code asked for, as in `string.format?`. */
  page(data: MimeBundle): void
  /** After an error whose place is known: in this code, named so, or in a file it uses. */
  place?(code: string, source: string | undefined, position: Position | undefined): void
  end(outcome: Outcome): void
}

export interface Outcome {
  status: ExecuteReply['status'] | 'interrupted' | 'timeout' | 'detached'
  exitCode: number
  /** The script ended itself. */
  exit?: boolean
}

/** How long a script may take to end after an interrupt by a signal that ends this program. */
const LAST_WISH_MS = 2_000

/** How long code may stand in the kernel's queue before that is told. */
const QUEUED_MS = 700

/**
 * Executes and follows the code to its end: outputs to the sink, questions to stdin, Ctrl-C as an interrupt, a second one
 * leaves it running. Resolves with the exit code.
 */
export async function execute(
  context: Context,
  kernel: OpenKernel,
  code: string,
  options: Omit<ExecuteOptions, 'onOutput' | 'onInput'> & { input?: Input },
  sink: OutputSink,
): Promise<number> {
  const { client } = kernel
  const { terminal } = context
  const { input = createInput(context), ...request } = options
  const waiting = setTimeout(() => terminal.progress('waiting for other code to finish… (Ctrl-C gives up)'), QUEUED_MS)
  const started = (): void => {
    clearTimeout(waiting)
    terminal.progress(undefined)
  }
  const execution = client.execute(code, {
    ...request,
    onStart: started,
    onOutput: (output) => {
      if (!terminal.readerGone.aborted) sink.output(output)
    },
    onInput: (question, signal) => input.ask(question, signal),
  })
  sink.start(execution, kernel)
  const left = Promise.withResolvers<Outcome>()
  let ending: Outcome | undefined
  const interrupt = (outcome: Outcome): void => {
    ending = outcome
    client.interrupt({ execution: execution.id }).catch((error: unknown) => {
      if (codeOf(error) !== 'client.closed') terminal.note(`llmspell: the interrupt failed: ${(error as Error).message}\n`)
    })
  }
  const leaveAfter = (outcome: Outcome): void => {
    interrupt(outcome)
    setTimeout(() => left.resolve(outcome), LAST_WISH_MS).unref()
  }
  const handlers: Record<string, () => void> = {
    SIGINT() {
      if (!ending) return interrupt({ status: 'interrupted', exitCode: EXIT.interrupted })
      terminal.note(`llmspell: left it running. To stop it: llmspell kernel interrupt --execution ${execution.id}\n`)
      left.resolve({ status: 'detached', exitCode: EXIT.interrupted })
    },
    SIGTERM: () => leaveAfter({ status: 'interrupted', exitCode: EXIT.terminated }),
  }
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler)
  const onReaderGone = (): void => leaveAfter({ status: 'interrupted', exitCode: EXIT.brokenPipe })
  terminal.readerGone.addEventListener('abort', onReaderGone, { signal: execution.ended })
  const timer = startTimer(context, () => interrupt({ status: 'timeout', exitCode: EXIT.timeout }))
  try {
    const reply = await Promise.race([execution.done, left.promise])
    const outcome = 'exitCode' in reply ? reply : outcomeOf(reply, ending)
    if (!terminal.readerGone.aborted) {
      if ('execution_count' in reply) for (const page of pagesOf(reply)) sink.page(page)
      if ('ename' in reply && !outcome.exit) sink.place?.(code, request.source, positionOf(reply))
      sink.end(outcome)
    }
    return outcome.exitCode
  } finally {
    started()
    clearTimeout(timer)
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler)
    input.close()
  }
}

/** What asked for the end decides the exit code, unless the code had come to its own end before. */
function outcomeOf(reply: ExecuteReply, ending: Outcome | undefined): Outcome {
  const exit = extensionOf(reply).exit
  if (exit) return { status: reply.status, exitCode: exit.code & 0xff, exit: true }
  if (reply.status === 'ok') return { status: 'ok', exitCode: EXIT.ok }
  if (ending) return ending
  if (reply.status === 'error' && reply.ename === 'Interrupted') return { status: 'interrupted', exitCode: EXIT.interrupted }
  if (reply.status === 'error' && reply.ename === 'KernelStopped') return { status: 'error', exitCode: EXIT.kernelDied }
  return { status: reply.status, exitCode: EXIT.failed }
}

function pagesOf(reply: ExecuteReply): MimeBundle[] {
  if (reply.status !== 'ok') return []
  return (reply.payload ?? []).flatMap(({ source, data }) => (source === 'page' ? [data as MimeBundle] : []))
}

function positionOf(reply: ExecuteReply): Position | undefined {
  return extensionOf(reply).position
}

/** What llmspell's kernel adds to an execute_reply. */
function extensionOf(reply: ExecuteReply): { exit?: { code: number }; position?: Position } {
  return (reply as { llmspell?: { exit?: { code: number }; position?: Position } }).llmspell ?? {}
}

function startTimer(context: Context, expire: () => void): NodeJS.Timeout | undefined {
  const ms = secondsOption(context, 'timeout')
  return ms === undefined ? undefined : setTimeout(expire, ms)
}
