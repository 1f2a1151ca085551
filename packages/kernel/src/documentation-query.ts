/** `name?` or `?name` as a whole cell asks for documentation, `??` for all of it, as in IPython. No language here has such a line. */
export interface DocumentationQuery {
  name: string
  detail: 0 | 1
}

const NAME = String.raw`[A-Za-z_$][\w$]*(?:[.:][A-Za-z_$][\w$]*)*`
const QUERY = new RegExp(String.raw`^\s*(?:(${NAME})(\?\??)|(\?\??)(${NAME}))\s*$`)

export function parseDocumentationQuery(code: string): DocumentationQuery | undefined {
  const match = QUERY.exec(code)
  if (!match) return undefined
  return { name: (match[1] ?? match[4]) as string, detail: (match[2] ?? match[3]) === '??' ? 1 : 0 }
}
