import type { FunctionDescription, ModuleDescription } from './catalogue.ts'
import { inLanguage, qualifiedName, resultText, typeText } from './type-text.ts'

/** Ambient TypeScript declarations of the globals, for editors. */
export function generateDts(modules: readonly ModuleDescription[]): string {
  const parts = ['// Globals of llmspell scripts. Generated from the catalogue; do not edit.\n']
  for (const module of modules.filter((candidate) => inLanguage(candidate, 'javascript'))) {
    if (module.global) {
      for (const description of module.functions) {
        parts.push(
          `${jsDoc('', description)}declare function ${description.name}${jsParameters(description)}: ${resultText('javascript', description)}\n`,
        )
      }
      for (const value of module.values ?? []) {
        parts.push(`/** ${comment(value.doc)} */\ndeclare const ${value.name}: ${typeText('javascript', value)}\n`)
      }
      continue
    }
    const lines = [`/** ${comment(module.doc)} */\ndeclare const ${module.name}: {\n`]
    for (const description of module.functions) {
      lines.push(`${jsDoc('  ', description)}  ${description.name}${jsParameters(description)}: ${resultText('javascript', description)}\n`)
      if (description.sync) {
        lines.push(
          `${jsDoc('  ', description)}  ${description.name}Sync${jsParameters(description)}: ${resultText('javascript', description, true)}\n`,
        )
      }
    }
    for (const value of module.values ?? [])
      lines.push(`  /** ${comment(value.doc)} */\n  readonly ${value.name}: ${typeText('javascript', value)}\n`)
    parts.push(`${lines.join('')}}\n`)
  }
  return parts.join('\n')
}

/** LuaLS definitions (`---@meta`) of the globals, for editors. */
export function generateLuaMeta(modules: readonly ModuleDescription[]): string {
  const parts = ['---@meta\n-- Globals of llmspell scripts. Generated from the catalogue; do not edit.\n']
  for (const module of modules.filter((candidate) => inLanguage(candidate, 'lua'))) {
    if (!module.global) parts.push(`${luaComment(module.doc)}---@class ${module.name}lib\n${module.name} = {}\n`)
    for (const value of module.values ?? []) {
      parts.push(`${luaComment(value.doc)}---@type ${typeText('lua', value)}\n${qualifiedName(module, value.name)} = nil\n`)
    }
    for (const description of module.functions) parts.push(luaFunction(module, description))
  }
  return parts.join('\n')
}

function luaFunction(module: ModuleDescription, description: FunctionDescription): string {
  const lines = [luaComment(description.doc)]
  for (const parameter of description.parameters) {
    lines.push(`---@param ${parameter.name}${parameter.optional ? '?' : ''} ${typeText('lua', parameter)} ${oneLine(parameter.doc)}\n`)
  }
  if (description.result) lines.push(`---@return ${typeText('lua', description.result)} # ${oneLine(description.result.doc)}\n`)
  const names = description.parameters.map((parameter) => parameter.name).join(', ')
  return `${lines.join('')}function ${qualifiedName(module, description.name)}(${names}) end\n`
}

function jsParameters(description: FunctionDescription): string {
  return `(${description.parameters.map((p) => `${p.name}${p.optional ? '?' : ''}: ${typeText('javascript', p)}`).join(', ')})`
}

function jsDoc(indent: string, description: FunctionDescription): string {
  const lines = comment(description.doc).split('\n')
  for (const parameter of description.parameters) lines.push(`@param ${parameter.name} ${comment(oneLine(parameter.doc))}`)
  if (description.result) lines.push(`@returns ${comment(oneLine(description.result.doc))}`)
  if (lines.length === 1) return `${indent}/** ${lines[0]} */\n`
  return `${indent}/**\n${lines.map((line) => `${indent} * ${line}\n`).join('')}${indent} */\n`
}

function luaComment(text: string): string {
  return text
    .split('\n')
    .map((line) => `---${line}\n`)
    .join('')
}

function comment(text: string): string {
  return text.replaceAll('*/', '*\\/')
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, ' ')
}
