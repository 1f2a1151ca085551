/** A log point's message: text, and expressions in braces. */
export type LogPiece = { text: string } | { expression: string }

/** Braces inside an expression, and in its strings, are its own; `\{` is a brace; one that is not closed is text. */
export function parseLogMessage(message: string): LogPiece[] {
  const pieces: LogPiece[] = []
  let text = ''
  for (let at = 0; at < message.length; at++) {
    const end = message[at] === '{' ? closingBrace(message, at) : -1
    if (end > 0) {
      if (text !== '') pieces.push({ text })
      text = ''
      pieces.push({ expression: message.slice(at + 1, end) })
      at = end
    } else if (message[at] === '\\' && (message[at + 1] === '{' || message[at + 1] === '}')) {
      text += message[++at]
    } else {
      text += message[at]
    }
  }
  if (text !== '') pieces.push({ text })
  return pieces
}

function closingBrace(message: string, open: number): number {
  let depth = 0
  for (let at = open; at < message.length; at++) {
    const character = message[at]
    if (character === '{') depth++
    else if (character === '}' && --depth === 0) return at
    else if (character === '"' || character === "'") at = closingQuote(message, at)
  }
  return -1
}

/** Where a string ends; one that does not is no string. */
function closingQuote(message: string, open: number): number {
  for (let at = open + 1; at < message.length; at++) {
    if (message[at] === '\\') at++
    else if (message[at] === message[open]) return at
  }
  return open
}
