import { readFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { Output } from '@llmspell/client'
import type { OutputSink } from '../session/execute.ts'
import type { Terminal } from '../terminal.ts'
import { bundleText } from './bundle-text.ts'
import { excerpt } from './excerpt.ts'

export interface TextSinkOptions {
  /** Print the value of the code. */
  result: boolean
  /** A script that ends itself with a code is not an error to be told, as with any program. */
  quietExit: boolean
}

/** Outputs as a program's: stdout to stdout and stderr to stderr, byte for byte; displays and errors as text. */
export function createTextSink(terminal: Terminal, options: TextSinkOptions): OutputSink {
  let midLine = false
  const show = (text: string): void => {
    terminal.out(`${midLine ? '\n' : ''}${text.endsWith('\n') ? text : `${text}\n`}`)
    midLine = false
  }
  return {
    start() {},
    output(output: Output) {
      switch (output.type) {
        case 'stream':
          if (output.name === 'stderr') terminal.stderr.write(output.text)
          else {
            terminal.out(output.text)
            if (output.text) midLine = !output.text.endsWith('\n')
          }
          break
        case 'display_data':
        case 'update_display_data':
          show(bundleText(output.data, terminal))
          break
        case 'execute_result':
          if (options.result) show(bundleText(output.data, terminal))
          break
        case 'error':
          if (options.quietExit && output.ename === 'Exit') break
          terminal.note(`${errorText(output, terminal.colors('stderr'))}\n`)
          break
        case 'clear_output':
          break // What a program has written stays written.
      }
    },
    page: (data) => show(bundleText(data, terminal)),
    place(code, source, position) {
      if (!position) return
      const text = position.source === source || !isAbsolute(position.source) ? code : readIfThere(position.source)
      // A single line was just typed; pointing into it tells little.
      if (text === undefined || (source === undefined && !text.includes('\n'))) return
      const lines = excerpt(text, position, terminal.colors('stderr'))
      if (lines) terminal.note(`${lines}\n`)
    },
    end({ status }) {
      if (status === 'timeout') terminal.note('llmspell: interrupted, because the time of --timeout was over\n')
      if (status === 'aborted') terminal.note('llmspell: it was not run, because code before it failed or the kernel was restarted\n')
    },
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** A traceback already ends with name and value of its error. */
export function errorText({ ename, evalue, traceback }: Extract<Output, { type: 'error' }>, colors: boolean): string {
  const text = traceback.length > 0 ? traceback.join('\n').replace(/\n+$/, '') : `${ename}: ${evalue}`
  return colors ? text : stripVTControlCharacters(text)
}
