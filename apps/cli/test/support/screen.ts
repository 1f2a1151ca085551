import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Home } from './home.ts'

const BIN = fileURLToPath(new URL('../../bin/llmspell.js', import.meta.url))

/** Loaded machines draw slowly. */
const SHOW_MS = 45_000
let count = 0

/** A command at a terminal of its own, in tmux: what a person would see and type. */
export class Screen {
  /** In the home of the test, and removed with it: tmux itself leaves its sockets behind. */
  readonly #socket: string

  constructor(home: Home, args: readonly string[]) {
    this.#socket = join(home.directory, `tmux-${count++}`)
    const env = Object.entries({ LLMSPELL_HOME: home.env['LLMSPELL_HOME'], HOME: home.directory, TERM: 'xterm-256color', LANG: 'C.UTF-8' })
    const words = ['env', ...env.map(([name, value]) => `${name}=${value}`), process.execPath, BIN, ...args]
    const command = `${words.map((word) => `'${word}'`).join(' ')}; printf '[%s]' ended; read -r _`
    this.#tmux('-f', '/dev/null', 'new-session', '-d', '-x', '90', '-y', '40', command)
  }

  type(text: string): void {
    this.#tmux('send-keys', '-l', text)
  }

  key(name: string): void {
    this.#tmux('send-keys', name)
  }

  async line(text: string): Promise<void> {
    this.type(text)
    this.key('Enter')
    // So that the next look does not see the screen of before.
    await new Promise((resolve) => setTimeout(resolve, 50))
  }

  text(): string {
    return this.#tmux('capture-pane', '-p', '-J').replace(/\n+$/, '')
  }

  /** Waits until the screen looks so. Blanks at the ends of lines are as drawn, but for the last one, where the prompt's is kept. */
  async shows(expected: RegExp): Promise<void> {
    const end = Date.now() + SHOW_MS
    for (;;) {
      const text = this.text()
      if (expected.test(text) || expected.test(`${text} `)) return
      if (Date.now() > end) throw new Error(`the terminal did not show ${expected} within ${SHOW_MS} ms, but:\n${text}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  ended(): Promise<void> {
    return this.shows(/\[ended\]/)
  }

  close(): void {
    let pid: number
    try {
      pid = Number(this.#tmux('display-message', '-p', '#{pid}'))
    } catch {
      return // Its command, and with it the server, has ended.
    }
    process.kill(pid, 'SIGTERM')
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-S', this.#socket, ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
  }
}
