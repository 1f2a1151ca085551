import type { CatalogueParameter, FunctionDescription, ModuleDescription } from './catalogue.ts'
import { inLanguage, qualifiedName, type SignatureLanguage, signatureText, typeText } from './type-text.ts'

/** The reference page of all globals, in Markdown. */
export function generateReference(modules: readonly ModuleDescription[]): string {
  const parts = ['# Script globals\n\nWhat every script and cell finds without `require` or `import`.\n']
  for (const module of modules) {
    parts.push(`## ${module.name}\n\n${module.doc}\n`)
    if (module.languages) parts.push(`In ${module.languages.map((language) => LANGUAGE_NAMES[language]).join(' and ')} only.\n`)
    for (const value of module.values ?? []) parts.push(`### ${code(qualifiedName(module, value.name))}\n\n${value.doc}\n`)
    for (const description of module.functions) parts.push(functionSection(module, description))
  }
  return parts.join('\n')
}

/** Documentation of one function, in Markdown, with the signature of one language: what editors and notebooks show on hover. */
export function functionMarkdown(language: SignatureLanguage, module: ModuleDescription, description: FunctionDescription): string {
  const parts = [fence(language, signatures(language, module, description)), description.doc]
  const parameters = parameterList(language, description.parameters, '')
  if (parameters) parts.push(parameters)
  if (description.result) parts.push(`Returns: ${description.result.doc}`)
  const example = description.examples?.[language]
  if (example) parts.push(fence(language, example))
  return parts.join('\n\n')
}

/** The same in plain text, for terminals. */
export function functionPlain(language: SignatureLanguage, module: ModuleDescription, description: FunctionDescription): string {
  const lines = [signatures(language, module, description), '', description.doc]
  if (description.parameters.length > 0) lines.push('')
  const add = (parameters: readonly CatalogueParameter[], indent: string): void => {
    for (const parameter of parameters) {
      lines.push(
        `${indent}${parameter.name}${parameter.optional ? '?' : ''} (${typeText(language, parameter.fields ? { type: 'object' } : parameter)}) ${parameter.doc}`,
      )
      if (parameter.fields) add(parameter.fields, `${indent}  `)
    }
  }
  add(description.parameters, '  ')
  if (description.result) lines.push('', `Returns: ${description.result.doc}`)
  return lines.join('\n')
}

const LANGUAGE_NAMES: Record<SignatureLanguage, string> = { lua: 'Lua', javascript: 'JavaScript and TypeScript' }

function functionSection(module: ModuleDescription, description: FunctionDescription): string {
  const languages = (['lua', 'javascript'] as const).filter((language) => inLanguage(module, language))
  const parts = [`### ${code(qualifiedName(module, description.name))}`]
  for (const language of languages) parts.push(fence('text', signatures(language, module, description)))
  parts.push(description.doc)
  const parameters = parameterList('javascript', description.parameters, '')
  if (parameters) parts.push(parameters)
  if (description.result) parts.push(`Returns: ${description.result.doc}`)
  for (const language of languages) {
    const example = description.examples?.[language]
    if (example) parts.push(fence(language, example))
  }
  return `${parts.join('\n\n')}\n`
}

function signatures(language: SignatureLanguage, module: ModuleDescription, description: FunctionDescription): string {
  const text = signatureText(language, module, description)
  return description.sync && language === 'javascript' ? `${text}\n${signatureText(language, module, description, true)}` : text
}

function parameterList(language: SignatureLanguage, parameters: readonly CatalogueParameter[], indent: string): string {
  return parameters
    .map((parameter) => {
      const type = typeText(language, parameter.fields ? { type: 'object' } : parameter)
      const line = `${indent}- ${code(parameter.name)} (${code(type)}${parameter.optional ? ', optional' : ''}): ${parameter.doc}`
      return parameter.fields ? `${line}\n${parameterList(language, parameter.fields, `${indent}  `)}` : line
    })
    .join('\n')
}

function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``
}

function code(text: string): string {
  return `\`${text}\``
}
