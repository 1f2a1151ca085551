import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from '@llmspell/base'
import { type LlmspellPaths, resolvePaths } from '@llmspell/config/paths'
import { ownIdentity } from '@llmspell/config/process-identity'
import { type ConnectionInfo, serializeConnectionFile } from '@llmspell/jupyter'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isKernelRunning, readKernel, readKernels } from '../src/registry.ts'
import { sweep } from '../src/sweep.ts'
import { registeredKernel, resolveTarget } from '../src/target.ts'
import { isCompatible } from '../src/version.ts'

let directory = ''
let paths: LlmspellPaths
beforeEach(() => {
  directory = mkdtempSync('/tmp/lsm-')
  paths = resolvePaths({ LLMSPELL_HOME: directory })
  mkdirSync(paths.kernelsDir, { recursive: true })
})
afterEach(() => rmSync(directory, { recursive: true }))

const DEAD = { pid: 2 ** 22 + 7, startTime: '1' }

function register(id: string, identity: { pid: number; startTime: string }, change: Partial<ConnectionInfo> = {}): void {
  const connection: ConnectionInfo = {
    transport: 'ipc',
    ip: join(paths.kernelsDir, id),
    shell_port: 1,
    iopub_port: 2,
    stdin_port: 3,
    control_port: 4,
    hb_port: 5,
    key: 'k',
    signature_scheme: 'hmac-sha256',
    llmspell: {
      id,
      ...identity,
      version: '0.1.0',
      language: 'lua',
      cwd: '/',
      startedAt: '2026-01-01T00:00:00Z',
      startedBy: 'auto',
      idleTimeout: 0,
    },
    ...change,
  }
  writeFileSync(paths.connectionFile(id), serializeConnectionFile(connection))
  if (connection.transport === 'ipc') for (let port = 1; port <= 5; port++) writeFileSync(`${connection.ip}-${port}`, '')
}

describe('the registry', () => {
  it('trusts a pid only together with its start time', () => {
    register('live', ownIdentity())
    register('reused', { pid: process.pid, startTime: 'another' })
    register('dead', DEAD)
    expect(readKernels(paths).map((kernel) => [kernel.record.id, isKernelRunning(kernel)])).toEqual([
      ['dead', false],
      ['live', true],
      ['reused', false],
    ])
  })

  it('passes over files that are no entries', () => {
    writeFileSync(join(paths.kernelsDir, 'half.json'), '{"transport":"ipc"')
    writeFileSync(
      join(paths.kernelsDir, 'other.json'),
      '{"ip":"1.2.3.4","shell_port":1,"iopub_port":2,"stdin_port":3,"control_port":4,"hb_port":5,"key":""}',
    )
    expect(readKernels(paths)).toEqual([])
    expect(readKernel(paths, 'none')).toBeUndefined()
  })

  it.skipIf(process.platform === 'win32')('waits for nobody to write into a pipe, and reads no device', () => {
    execFileSync('mkfifo', [join(paths.kernelsDir, 'pipe.json')])
    symlinkSync('/dev/zero', join(paths.kernelsDir, 'zero.json'))
    symlinkSync('loop.json', join(paths.kernelsDir, 'loop.json'))
    register('live', ownIdentity())
    expect(readKernels(paths).map((kernel) => kernel.record.id)).toEqual(['live'])
  })

  it('sweeps all that dead kernels left, and only that', () => {
    register('live', ownIdentity())
    register('dead', DEAD)
    expect(sweep(paths).map((kernel) => kernel.record.id)).toEqual(['dead'])
    expect(readdirSync(paths.kernelsDir).filter((name) => name.startsWith('dead'))).toEqual([])
    expect(existsSync(paths.connectionFile('live'))).toBe(true)
    expect(readdirSync(paths.runtimeDir)).toEqual(['kernels'])
  })

  it('leaves the remains of a kernel that is being replaced to who replaces it', () => {
    register('dead', DEAD)
    writeFileSync(join(paths.runtimeDir, 'start-dead.lock'), JSON.stringify({ ...ownIdentity(), nonce: 'n' }))
    expect(sweep(paths)).toEqual([])
    expect(existsSync(paths.connectionFile('dead'))).toBe(true)
  })
})

describe('--connect', () => {
  const code = (target: string, env = {}): string | undefined => {
    try {
      resolveTarget(paths, target, env)
      return undefined
    } catch (error) {
      return codeOf(error)
    }
  }

  it('takes an id, a file or an address', () => {
    register('work', ownIdentity())
    register('net', ownIdentity(), {
      transport: 'tcp',
      ip: '127.0.0.1',
      shell_port: 5000,
      iopub_port: 5001,
      stdin_port: 5002,
      control_port: 5003,
      hb_port: 5004,
    })
    expect(resolveTarget(paths, 'work', {}).ip).toContain('work')
    expect(resolveTarget(paths, paths.connectionFile('work'), {}).ip).toContain('work')
    expect(resolveTarget(paths, 'tcp://localhost:5000', {}).llmspell?.id).toBe('net')
    expect(resolveTarget(paths, 'tcp://[::1]:7000', { LLMSPELL_KEY: 's' })).toMatchObject({
      ip: '::1',
      shell_port: 7000,
      hb_port: 7004,
      key: 's',
    })
  })

  it('explains what it cannot use', () => {
    register('work', ownIdentity())
    register('dead', DEAD)
    expect(code('wrok')).toBe('kernel.not_found')
    expect(code('dead')).toBe('kernel.not_found')
    expect(code('../x')).toBe('kernel.not_found')
    expect(code('none.json')).toBe('kernel.not_found')
    expect(code('http://x:1')).toBe('kernel.bad_address')
    expect(code('tcp://x')).toBe('kernel.bad_address')
    expect(code('tcp://127.0.0.1:9')).toBe('kernel.no_key')
    expect(code('not an id')).toBe('config.bad_kernel_id')
    expect(() => registeredKernel(paths, 'wrok')).toThrow(expect.objectContaining({ hint: 'Did you mean "work"?' }))
  })
})

it.each([
  ['0.1.0', '0.1.7', true],
  ['0.1.0', '0.2.0', false],
  ['1.2.0', '1.9.3', true],
  ['1.2.0', '2.0.0', false],
  ['0.1.0-beta.1', '0.1.0', true],
])('versions %s and %s work together: %s', (a, b, expected) => {
  expect(isCompatible(a, b)).toBe(expected)
  expect(isCompatible(b, a)).toBe(expected)
})
