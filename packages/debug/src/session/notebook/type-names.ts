/**
 * The type as JupyterLab wants it: of a type whose name it does not know it shows the name instead of the value, and it knows Python's.
 * `undefined`: better none, so that the value is seen.
 */
export function notebookType(type: string, value: string): 'int' | 'float' | 'bool' | 'str' | undefined {
  switch (type) {
    case 'integer':
    case 'number':
    case 'float':
      // it shows what it has parsed
      if (String(Number(value)) !== value) return undefined
      return /^-?\d+$/.test(value) ? 'int' : 'float'
    case 'boolean':
      return 'bool'
    case 'string':
      return 'str'
    default:
      return undefined
  }
}
