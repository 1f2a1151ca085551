/** A log point's message: text, and expressions in braces. */
export type LogPiece = { text: string } | { expression: string }

/** Braces inside an expression are its own; `\{` is a brace; one that is not closed is text. */
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
    if (message[at] === '{') depth++
    else if (message[at] === '}' && --depth === 0) return at
  }
  return -1
}
