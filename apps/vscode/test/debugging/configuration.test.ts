import { describe, expect, test } from 'vitest'
import { type Checked, checkConfiguration, completeConfiguration, configurationOfFile } from '../../src/debugging/configuration.ts'

const lua = { path: '/project/a.lua', languageId: 'lua' }
const files = (path: string): boolean => ['/project/a.lua', '/project/b.mts', '/project/noending'].includes(path)

function configuration(checked: Checked): Record<string, unknown> {
  if ('problem' in checked) throw new Error(checked.problem)
  return checked.configuration
}

function problem(checked: Checked): string {
  if ('configuration' in checked) throw new Error(`accepted: ${JSON.stringify(checked.configuration)}`)
  return checked.problem
}

describe('F5 without launch.json', () => {
  test('launches the file of the editor', () => {
    expect(configuration(completeConfiguration({}, lua))).toEqual({
      type: 'llmspell',
      request: 'launch',
      name: 'Debug a.lua',
      program: '/project/a.lua',
      cwd: '${workspaceFolder}',
    })
  })

  test('keeps that it is a run without debugging', () => {
    expect(configuration(completeConfiguration({ noDebug: true, __sessionId: 'x' }, lua))).toMatchObject({
      noDebug: true,
      request: 'launch',
    })
  })

  test('a file whose ending tells no language takes that of its editor', () => {
    const file = { path: '/project/noending', languageId: 'typescript' }
    expect(configuration(completeConfiguration({}, file))).toMatchObject({ language: 'typescript' })
  })

  test.each([
    ['without an editor', undefined, 'Open the Lua'],
    ['with a document that was never saved', { path: undefined, languageId: 'lua' }, 'Save the file'],
    ['with another language', { path: '/project/a.py', languageId: 'python' }, '/project/a.py'],
  ])('%s says what to do', (_, active, text) => {
    expect(problem(completeConfiguration({}, active))).toContain(text)
  })
})

describe('launch.json', () => {
  test('a launch without a program is one of the file in the editor', () => {
    const given = { type: 'llmspell', request: 'launch', name: 'mine', stopOnEntry: true }
    expect(configuration(completeConfiguration(given, undefined))).toEqual({ ...given, program: '${file}', cwd: '${workspaceFolder}' })
  })

  test('an attach gets no program', () => {
    const given = { type: 'llmspell', request: 'attach', name: 'mine', kernel: 'k' }
    expect(configuration(completeConfiguration(given, lua))).toEqual(given)
  })

  test('the type that stands for F5 on JavaScript becomes ours', () => {
    const given = { type: 'llmspell-script', request: 'launch', name: 'x', program: '/project/b.mts' }
    expect(configuration(completeConfiguration(given, undefined))).toMatchObject({ type: 'llmspell' })
  })

  test('relative paths are of the workspace folder', () => {
    const given = { request: 'launch', program: 'a.lua', cwd: 'sub' }
    expect(configuration(checkConfiguration(given, '/project', files))).toMatchObject({ program: '/project/a.lua', cwd: '/project/sub' })
  })

  test('what editors and others add is passed on', () => {
    const given = { request: 'launch', program: '/project/a.lua', __sessionId: 1, presentation: { hidden: true } }
    expect(configuration(checkConfiguration(given, undefined, files))).toEqual(given)
  })

  test.each([
    [{ request: 'start' }, '"request"'],
    [{ request: 'launch' }, '"program" is missing'],
    [{ request: 'launch', program: 'a.lua' }, 'absolute'],
    [{ request: 'launch', program: '/project/gone.lua' }, 'there is no file /project/gone.lua'],
    [{ request: 'launch', program: '/project/noending' }, 'tells no language'],
    [{ request: 'launch', program: '/project/a.lua', language: 'perl' }, '"language"'],
    [{ request: 'launch', program: '/project/a.lua', args: 'a b' }, '"args"'],
    [{ request: 'launch', program: '/project/a.lua', args: [1] }, '"args"'],
    [{ request: 'launch', program: '/project/a.lua', env: { A: 1 } }, '"env"'],
    [{ request: 'launch', program: '/project/a.lua', env: [] }, '"env"'],
    [{ request: 'launch', program: '/project/a.lua', cwd: 7 }, '"cwd"'],
    [{ request: 'launch', program: '/project/a.lua', stopOnEntry: 'yes' }, '"stopOnEntry"'],
    [{ request: 'launch', program: '/project/a.lua', kernel: '../x' }, '"kernel"'],
    [{ request: 'launch', program: '/project/a.lua', onDisconnect: 'kill' }, '"onDisconnect"'],
    [{ request: 'attach', run: '' }, '"run"'],
    [{ request: 'attach', kernel: 5 }, '"kernel"'],
  ])('%j is refused', (given, text) => {
    expect(problem(checkConfiguration(given, undefined, files))).toContain(text)
  })

  test('a null in env removes a variable', () => {
    const given = { request: 'launch', program: '/project/a.lua', env: { A: 'x', B: null } }
    expect(configuration(checkConfiguration(given, undefined, files))).toMatchObject({ env: { A: 'x', B: null } })
  })
})

test('the configuration of a file names the folder that it runs in', () => {
  expect(configuration(configurationOfFile(lua, {}, '/project'))).toMatchObject({ cwd: '/project', program: '/project/a.lua' })
})
