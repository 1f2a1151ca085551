import { describe, expect, test } from 'vitest'
import type { Command } from '../../src/command/find-command.ts'
import { parseAnswer, runCommand } from '../../src/command/run-command.ts'

/** A script in place of the command. */
function node(code: string): Command {
  return { program: process.execPath, args: ['-e', code], origin: 'setting' }
}

const env = process.env

describe('running the command', () => {
  test('gives what it printed, its exit code, and the input', async () => {
    const code = 'process.stdin.on("data", (d) => process.stdout.write(d)).on("end", () => { console.error("e"); process.exit(3) })'
    expect(await runCommand(node(code), [], { env, input: 'größe' })).toEqual({ exitCode: 3, stdout: 'größe', stderr: 'e\n' })
  })

  test('lines come whole, also a last one without an end', async () => {
    const lines: string[] = []
    const code = 'process.stdout.write("a"); setTimeout(() => process.stdout.write("b\\nc\\nd"), 50)'
    await runCommand(node(code), [], { env, onLine: (line) => lines.push(line) })
    expect(lines).toEqual(['ab', 'c', 'd'])
  })

  test('a program that is not there is told by its name', async () => {
    const gone = runCommand({ program: '/nowhere/llmspell', args: [], origin: 'path' }, [], { env })
    await expect(gone).rejects.toMatchObject({ code: 'vscode.command_failed', message: expect.stringContaining('/nowhere/llmspell') })
  })

  test('one that takes too long is killed', async () => {
    const slow = runCommand(node('setInterval(() => {}, 1000)'), ['kernel', 'list'], { env, timeoutMs: 300 })
    await expect(slow).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('kernel list') })
  })

  test('an abort interrupts it', async () => {
    const abort = new AbortController()
    const code = 'process.on("SIGINT", () => process.exit(130)); console.log("ready"); setInterval(() => {}, 1000)'
    const result = await runCommand(node(code), [], { env, signal: abort.signal, onLine: () => abort.abort() })
    expect(result.exitCode).toBe(130)
  })
})

describe('the answer of --json', () => {
  test('is parsed', () => {
    expect(parseAnswer({ exitCode: 0, stdout: '{"kernels":[]}\n', stderr: '' })).toEqual({ kernels: [] })
  })

  test('an error in it is thrown with its hint', () => {
    const stdout = '{"error":{"code":"kernel.none","message":"there is no kernel","hint":"Start one."}}'
    expect(() => parseAnswer({ exitCode: 3, stdout, stderr: '' })).toThrow(
      expect.objectContaining({ code: 'kernel.none', hint: 'Start one.' }),
    )
  })

  test('what is no answer is told by what the command said', () => {
    expect(() => parseAnswer({ exitCode: 1, stdout: '', stderr: 'llmspell needs Node.js 22.19\n' })).toThrow('llmspell needs Node.js 22.19')
    expect(() => parseAnswer({ exitCode: 7, stdout: 'x', stderr: '' })).toThrow('exit code 7')
  })
})
