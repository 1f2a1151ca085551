import { describe, expect, test } from 'vitest'
import { type CommandSurroundings, findCommand } from '../../src/command/find-command.ts'

function around(files: readonly string[], given: Partial<CommandSurroundings> = {}): CommandSurroundings {
  return {
    setting: '',
    workspaceFolders: ['/project/a', '/project/b'],
    env: { PATH: '/usr/bin:/opt/bin' },
    home: '/home/me',
    platform: 'linux',
    isFile: (path) => files.includes(path),
    ...given,
  }
}

describe('where the llmspell command is', () => {
  test('the setting comes before the workspace, and that before the PATH', () => {
    const files = ['/srv/llmspell', '/project/b/node_modules/.bin/llmspell', '/opt/bin/llmspell']
    expect(findCommand(around(files, { setting: '/srv/llmspell' }))).toEqual({ program: '/srv/llmspell', args: [], origin: 'setting' })
    expect(findCommand(around(files)).program).toBe('/project/b/node_modules/.bin/llmspell')
    expect(findCommand(around(files.slice(2)))).toEqual({ program: '/opt/bin/llmspell', args: [], origin: 'path' })
  })

  test.each([
    ['~/bin/llmspell', '/home/me/bin/llmspell'],
    ['tools/llmspell', '/project/b/tools/llmspell'],
    ['${workspaceFolder}/tools/llmspell', '/project/b/tools/llmspell'],
    ['llmspell-next', '/opt/bin/llmspell-next'],
  ])('the setting %s is %s', (setting, file) => {
    expect(findCommand(around([file, '/usr/bin/llmspell'], { setting })).program).toBe(file)
  })

  test('a script is run by node, not by the editor', () => {
    const command = findCommand(around(['/srv/bin/llmspell.js'], { setting: '/srv/bin/llmspell.js' }))
    expect(command).toEqual({ program: 'node', args: ['/srv/bin/llmspell.js'], origin: 'setting' })
  })

  test('a setting that names nothing is an error, also when there is another command', () => {
    const wrong = around(['/usr/bin/llmspell'], { setting: '/gone/llmspell' })
    expect(() => findCommand(wrong)).toThrow(expect.objectContaining({ code: 'vscode.command_missing' }))
    expect(() => findCommand(wrong)).toThrow('/gone/llmspell')
  })

  test('a command that is nowhere is an error with a way out', () => {
    expect(() => findCommand(around([]))).toThrow(
      expect.objectContaining({ code: 'vscode.command_missing', hint: expect.stringContaining('npm install') }),
    )
  })

  test('relative folders of the PATH are not looked into', () => {
    expect(() => findCommand(around(['bin/llmspell', './bin/llmspell'], { env: { PATH: 'bin:./bin:' } }))).toThrow('was not found')
  })
})
