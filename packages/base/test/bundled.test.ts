import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { bundled } from '../src/bundled.ts'

const OLD = new Date('2020-01-01')
const NEW = new Date('2020-01-02')

let dir: string
let here: string
const url = (path: string): string => pathToFileURL(join(dir, path)).href

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'llmspell-bundled-'))
  here = url('main.js')
  mkdirSync(join(dir, 'bundle'))
})
afterEach(() => rmSync(dir, { recursive: true }))

function write(path: string, text: string, time: Date): void {
  writeFileSync(join(dir, path), text)
  utimesSync(join(dir, path), time, time)
}

it('is the file itself where nothing was joined', () => {
  expect(bundled(here, './app.js')).toBe(url('app.js'))
})

it('is the joined form, also when what it was made from is not there', () => {
  write('bundle/app.js', '', NEW)
  write('bundle/inputs.json', '["../build", "../gone"]', NEW)
  write('build', '', OLD)
  expect(bundled(here, './app.js')).toBe(url('bundle/app.js'))
})

it('is the file itself when something was compiled since, or the joining was not finished', () => {
  write('bundle/app.js', '', OLD)
  expect(bundled(here, './app.js')).toBe(url('app.js'))
  write('bundle/inputs.json', '["../build"]', OLD)
  write('build', '', NEW)
  expect(bundled(here, './app.js')).toBe(url('app.js'))
})
